use ringback::{FutureSlot, SlotFuture, hook};

#[hook(slot, Sync, slot = other)]
async fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    fn is_sync(_: impl Sync) {}
    is_sync(length("text"));
    let _: SlotFuture<'_, usize> = length_slot(&mut FutureSlot::new(), "text");
}
