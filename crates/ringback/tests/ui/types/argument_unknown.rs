//! An argument's type does not exist.

ringback::callback_pool! {
    static UNKNOWN: Pool<unsafe extern "C" fn(i32, message: *const Message), 3>;
}

fn main() {}
