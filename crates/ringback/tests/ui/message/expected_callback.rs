ringback::callback_type! {
    pub struct OnDoor: (bool) -> i32
}

fn main() {}
