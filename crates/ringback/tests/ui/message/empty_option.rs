ringback::callback_pool! { static NOTHING: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback; }
ringback::callback_pool! { static NO_VALUE: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = ; }
ringback::callback_pool! { static COLON: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback: -1; }

fn main() {}
