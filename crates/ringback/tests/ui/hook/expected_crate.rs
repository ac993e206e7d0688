use ringback::hook;

#[hook(crate)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(crate = "ringback")]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

fn main() {}
