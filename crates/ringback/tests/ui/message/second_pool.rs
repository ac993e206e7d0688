ringback::callback_pool! {
    static FIRST: Pool<unsafe extern "C" fn(i32) -> i32, 3>;
    fallback = -1;

    /// Another one.
    static SECOND: Pool<unsafe extern "C" fn(i32), 3>;
}

fn main() {}
