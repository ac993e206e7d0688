use ringback::hook;

#[hook(Send)]
async fn length(text: &str) -> usize {
    text.len()
}

#[hook(?Sync)]
async fn lengths(texts: &[&str]) -> usize {
    texts.len()
}

#[hook(Sync "text")]
async fn none() {}

fn main() {
    let _: [for<'a> fn(&'a str) -> std::pin::Pin<Box<dyn Future<Output = usize> + Send + 'a>>; 1] =
        [length];
}
