#![deny(elided_lifetimes_in_paths)]

use ringback::hook;

struct View<'a>(&'a str);

#[hook]
async fn length(view: View) -> usize {
    view.0.len()
}

fn main() {
    drop(length(View("text")));
}
