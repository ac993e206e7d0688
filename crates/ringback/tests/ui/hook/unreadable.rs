use ringback::hook::hook;

fn main() {
    hook!(async |text: &, more: i32| text);
}
