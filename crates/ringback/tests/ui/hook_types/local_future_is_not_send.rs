use ringback::{FutureSlot, hook};

#[hook(?Send, slot)]
async fn boxed(text: &str) -> usize {
    text.len()
}

#[hook(?Send, stack = 64)]
async fn on_the_stack(text: &str) -> usize {
    text.len()
}

fn sent<T: Send>(_: T) {}

fn main() {
    sent(boxed("text"));
    sent(boxed_slot(&mut FutureSlot::new(), "text"));
    sent(on_the_stack("text"));
    sent(hook::hook!(?Send, async || 1)());
}
