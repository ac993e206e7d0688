use ringback::hook::hook;
use std::future::Future;
use std::pin::Pin;

fn main() {
    let text = String::new();
    let _: Box<dyn Fn() -> Pin<Box<dyn Future<Output = usize> + Send>>> =
        Box::new(hook!(async move || text.len()));
}
