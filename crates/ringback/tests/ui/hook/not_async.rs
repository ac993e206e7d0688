use ringback::hook;

/// Documented.
#[hook]
pub(crate) fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    length("it is still there");
}
