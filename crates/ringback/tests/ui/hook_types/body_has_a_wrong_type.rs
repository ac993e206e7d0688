use ringback::hook;

#[hook]
async fn length(text: &str, (one, _): (i32, i32)) -> usize {
    if text.is_empty() {
        return one;
    }
    "length"
}

#[hook]
async fn question(text: &str) -> usize {
    let number: usize = text.parse()?;
    number
}

#[hook]
async fn missing(text: &str) -> usize {
    text.len();
}

fn main() {}
