use ringback::hook;
use std::future::Future;
use std::pin::Pin;

#[hook]
async fn length(text: &str) -> usize {
    let number = text.
}

fn main() {
    // Only the body is wrong: the signature is there.
    let _: for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> = length;
}
