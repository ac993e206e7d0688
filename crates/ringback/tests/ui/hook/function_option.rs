use ringback::hook::hook;

fn main() {
    let _ = hook!(?Send, slot, async |text: &str| text.len());
    let _ = hook!(stack = 100, async |text: &str| text.len());
}
