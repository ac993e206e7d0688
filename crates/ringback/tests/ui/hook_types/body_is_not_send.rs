use ringback::hook;
use std::rc::Rc;

#[hook]
async fn length(text: &str) -> usize {
    let shared = Rc::new(text);
    std::future::ready(()).await;
    shared.len()
}

#[hook]
async fn generic<T: AsRef<str>>(text: T) -> usize {
    text.as_ref().len()
}

fn main() {}
