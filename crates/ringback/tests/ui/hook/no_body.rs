use ringback::hook::hook;

fn main() {
    let _ = hook!(async |text: &str|);
}
