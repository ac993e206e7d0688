ringback::callback_type! {
    pub struct OnDoor: unsafe extern "C" fn(open: bool) -> i32
}

fn main() {}
