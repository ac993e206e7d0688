ringback::callback_type! {
    pub struct OnMessage<'a>: fn(message: &'a u8) -> i32
}

fn main() {}
