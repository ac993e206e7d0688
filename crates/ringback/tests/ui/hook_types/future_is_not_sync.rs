use ringback::hook;

#[hook]
async fn boxed(text: &str) -> usize {
    text.len()
}

#[hook(?Send)]
async fn local(text: &str) -> usize {
    text.len()
}

#[hook(Sync)]
async fn holds_a_cell(text: &str) -> usize {
    let cell = std::cell::Cell::new(text);
    std::future::ready(()).await;
    cell.get().len()
}

fn shared<T: Sync>(_: T) {}

fn main() {
    shared(boxed("text"));
    shared(local("text"));
    shared(hook::hook!(async || 1)());
}
