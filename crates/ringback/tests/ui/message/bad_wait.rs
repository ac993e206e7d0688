ringback::callback_pool! { static NO_ANSWER: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = 0; on_busy = wait(Duration::from_millis(1)); }
ringback::callback_pool! { static EMPTY: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = 0; on_busy = wait(); }
ringback::callback_pool! { static THREE: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = 0; on_busy = wait(Duration::from_millis(1), 2, 3); }

fn main() {}
