use ringback::hook;

#[hook(slot = "name")]
async fn length(text: &str) -> usize {
    text.len()
}

fn main() {}
