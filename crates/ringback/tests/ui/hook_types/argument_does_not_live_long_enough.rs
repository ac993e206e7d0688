use ringback::hook;

#[hook]
async fn key<'a>(list: &'a [String], key: &str) -> &'a str {
    list.iter().find(|it| *it == key).map_or("", String::as_str)
}

fn main() {
    let list = [String::new()];
    let found = {
        let name = String::new();
        key(&list, &name) // the same lifetime: name both to keep them apart
    };
    drop(found);
}
