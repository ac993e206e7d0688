use ringback::hook;

#[hook(stack = 64)]
async fn on_the_stack(text: &str) -> usize {
    text.len()
}

fn moved<T: Unpin>(_: T) {}

fn main() {
    moved(on_the_stack("text"));
}
