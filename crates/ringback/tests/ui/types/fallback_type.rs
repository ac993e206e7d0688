//! Answers of another type than the functions return.

ringback::callback_pool! { static TEXT: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = "no"; }
ringback::callback_pool! {
    static NOTHING: Pool<unsafe extern "C" fn(i32), 3>;
    fallback = 0;
}
ringback::callback_pool! {
    static BUSY: Pool<unsafe extern "C" fn(i32) -> i32, 3>;
    fallback = 0;
    on_panic = 1u8;
    on_busy = wait(5, 0);
    on_wrong_thread = None;
}

fn main() {}
