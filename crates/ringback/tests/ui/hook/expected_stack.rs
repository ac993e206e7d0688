use ringback::hook;

#[hook(stack)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(stack =)]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

fn main() {}
