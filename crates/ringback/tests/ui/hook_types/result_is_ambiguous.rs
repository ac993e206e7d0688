use ringback::hook;

#[hook]
async fn longer(one: &str, other: &str) -> &str {
    if one.len() > other.len() { one } else { other }
}

#[hook]
async fn nothing() -> &str {
    ""
}

fn main() {}
