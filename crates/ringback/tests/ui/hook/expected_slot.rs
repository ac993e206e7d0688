use ringback::hook;

#[hook(slot = "name", Sync)]
async fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    fn is_sync(_: impl Sync) {}
    is_sync(length("text"));
}
