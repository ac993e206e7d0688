use ringback::{FutureSlot, SlotFuture, StackFuture, hook};
use std::future::Future;
use std::pin::Pin;

#[hook(?Send, slot)]
async fn boxed(text: &str) -> usize {
    text.len()
}

#[hook(?Send, stack = 64)]
async fn on_the_stack(text: &str) -> usize {
    text.len()
}

fn main() {
    let _: for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> = boxed;
    let _: for<'a> fn(&'a mut FutureSlot, &'a str) -> SlotFuture<'a, usize> = boxed_slot;
    let _: for<'a> fn(&'a str) -> StackFuture<'a, usize, 64> = on_the_stack;
}
