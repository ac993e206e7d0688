use ringback::{FutureSlot, hook};

#[hook(slot)]
async fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let mut slot = FutureSlot::new();
    let first = length_slot(&mut slot, "one");
    let second = length_slot(&mut slot, "other");
    drop((first, second));
}
