use ringback::hook;
use std::future::Future;
use std::pin::Pin;

#[hook]
async fn exact<'a, 'b>(one: &'a str, other: &'b str) -> &'a str {
    if other.is_empty() { "" } else { one }
}

fn main() {
    let _: for<'a> fn(&'a str, &'a str) -> Pin<Box<dyn Future<Output = &'a str> + Send + 'a>> =
        exact;
}
