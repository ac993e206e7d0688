use ringback::{LocalStackFuture, hook};

#[hook(crate)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(?Send, crate = "ringback", stack = 8)]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

fn main() {
    let _ = length("text");
    let _: LocalStackFuture<'_, usize, 8> = lengths(&[]);
}
