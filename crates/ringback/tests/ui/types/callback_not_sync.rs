ringback::callback_type! {
    struct OnDoor: fn(open: bool) -> i32
}

fn main() {
    let not_sync = std::cell::Cell::new(0);
    OnDoor::new(move |_| not_sync.replace(1));
}
