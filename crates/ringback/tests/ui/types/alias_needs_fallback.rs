//! The alias returns a value, and the pool gives no fallback.

type Callback = Option<unsafe extern "C" fn(*mut u8, i32) -> i32>;
ringback::callback_pool! { static ANSWERS: Pool<Callback, 3>; }

fn main() {}
