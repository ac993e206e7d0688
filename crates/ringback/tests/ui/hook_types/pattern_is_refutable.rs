use ringback::hook;

#[hook]
async fn first(Some(text): Option<&str>) -> usize {
    text.len()
}

fn main() {}
