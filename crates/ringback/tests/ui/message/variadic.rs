ringback::callback_pool! { static VARIADIC: Pool<unsafe extern "C" fn(*const u8, ...), 3>; }
ringback::callback_pool! { static NAMED: Pool<unsafe extern "C" fn(format: *const u8, arguments: ...), 3>; }

fn main() {}
