use ringback::{FutureSlot, LocalSlotFuture, LocalStackFuture, hook};

#[hook(?Send, Sync, slot)]
async fn in_a_slot() {}

#[hook(Sync, stack = 64, ?Send)]
async fn in_itself() {}

fn main() {
    let _: LocalSlotFuture<'_, ()> = in_a_slot_slot(&mut FutureSlot::new());
    let _: LocalStackFuture<'_, (), 64> = in_itself();
}
