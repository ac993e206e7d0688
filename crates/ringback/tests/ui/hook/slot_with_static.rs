use ringback::{FutureSlot, hook};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[hook(slot)]
async fn calls(text: &'static str) -> usize {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    CALLS.fetch_add(text.len(), Relaxed)
}

fn main() {
    drop((calls("text"), calls_slot(&mut FutureSlot::new(), "text")));
}
