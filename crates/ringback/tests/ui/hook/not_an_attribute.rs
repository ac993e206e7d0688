use ringback::hook::hook;

fn main() {
    let _ = hook!(#[] async |number: i32| number);
    let _ = hook!(#[allow(unused)] #[= 1] async |number: i32| number);
}
