use ringback::hook::hook;

fn main() {
    let _ = hook!(|text: &str| text.len());
    let _ = hook!(move || 1);
}
