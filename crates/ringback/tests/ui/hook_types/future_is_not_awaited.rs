#![deny(unused_must_use)]

use ringback::hook;

#[hook(slot)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(stack = 64)]
async fn on_the_stack(text: &str) -> usize {
    text.len()
}

#[hook]
#[must_use = "said by the user"]
async fn with_a_reason(text: &str) -> usize {
    text.len()
}

fn main() {
    with_a_reason("never polled");
    length("never polled");
    length_slot(&mut ringback::FutureSlot::new(), "never polled");
    on_the_stack("never polled");
}
