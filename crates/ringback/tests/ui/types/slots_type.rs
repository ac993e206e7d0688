//! The number of slots is no `usize`.

ringback::callback_pool! { static NEGATIVE: Pool<unsafe extern "C" fn(i32), -1>; }
ringback::callback_pool! { static TEXT: Pool<unsafe extern "C" fn(i32), "3">; }
fn slots() -> usize {
    3
}
ringback::callback_pool! { static NOT_CONSTANT: Pool<unsafe extern "C" fn(i32), { slots() }>; }

fn main() {}
