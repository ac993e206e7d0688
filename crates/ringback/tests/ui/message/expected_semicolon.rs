ringback::callback_pool! { static AFTER_TYPE: Pool<unsafe extern "C" fn(i32), 3> }
ringback::callback_pool! { static WITH_VALUE: Pool<unsafe extern "C" fn(i32), 3> = 0; }
ringback::callback_pool! { static AFTER_OPTION: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = -1 }

fn main() {}
