ringback::callback_type! {
    /// A copy would be a second owner of one reference.
    #[must_use]
    #[derive(Clone)]
    pub struct OnDoor: fn(open: bool) -> i32
}

fn main() {}
