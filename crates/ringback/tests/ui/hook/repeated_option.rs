use ringback::hook;

#[hook(slot, Sync, slot = other)]
async fn length(text: &str) -> usize {
    text.len()
}

fn main() {}
