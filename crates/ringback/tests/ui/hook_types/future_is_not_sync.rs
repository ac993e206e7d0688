use ringback::hook;
use std::future::Future;
use std::pin::Pin;

#[hook]
async fn boxed(text: &str) -> usize {
    text.len()
}

#[hook(Sync)]
async fn holds_a_cell(text: &str) -> usize {
    let cell = std::cell::Cell::new(text);
    std::future::ready(()).await;
    cell.get().len()
}

fn main() {
    let _: for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = usize> + Send + Sync + 'a>> = boxed;
    drop(holds_a_cell("text"));
}
