use ringback::{FutureSlot, SlotFuture, StackFuture, hook};

#[hook(Send)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(?Sync, slot)]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

#[hook(Sync "text", Pooled = 5, stack = 64)]
async fn none() {}

fn main() {
    let _: [for<'a> fn(&'a str) -> std::pin::Pin<Box<dyn Future<Output = usize> + Send + 'a>>; 1] =
        [length];
    let _: SlotFuture<'_, usize> = lengths_slot(&mut FutureSlot::new(), &[]);
    let _: StackFuture<'_, (), 64> = none();
}
