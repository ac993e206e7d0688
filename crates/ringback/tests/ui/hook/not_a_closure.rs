use ringback::hook::hook;

async fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let _ = hook!(length);
    let _ = hook!(async { 1 });
    let _ = hook!();
}
