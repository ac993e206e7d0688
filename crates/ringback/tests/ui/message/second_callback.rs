ringback::callback_type! {
    struct OnOpen: fn();
    struct OnClose: fn();
}

fn main() {}
