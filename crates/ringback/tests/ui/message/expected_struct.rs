ringback::callback_type! {
    pub fn on_door(open: bool) -> i32
}

fn main() {}
