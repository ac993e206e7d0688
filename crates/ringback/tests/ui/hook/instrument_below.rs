use ringback::{FutureSlot, StackFuture, hook};

#[hook(slot)]
#[tracing::instrument]
async fn in_a_slot(number: u32) -> u32 {
    number
}

#[hook(stack = 64)]
#[cfg_attr(all(), inline, tracing::instrument(skip_all))]
async fn in_itself(number: u32) -> u32 {
    number
}

#[hook]
#[tracing::instrument]
async fn in_a_box(number: u32) -> u32 {
    number
}

fn main() {
    drop((in_a_slot(1), in_a_slot_slot(&mut FutureSlot::new(), 1), in_a_box(1)));
    let _: StackFuture<'_, u32, 64> = in_itself(1);
}
