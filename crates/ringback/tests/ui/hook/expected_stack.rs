use ringback::{FutureSlot, hook};

#[hook(stack)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(stack =, slot)]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

fn main() {
    drop(length("text"));
    drop(lengths_slot(&mut FutureSlot::new(), &[]));
}
