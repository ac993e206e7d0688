ringback::callback_pool! { static NO_TYPE: Pool<unsafe extern "C" fn(code:), 3>; }
ringback::callback_pool! { static EMPTY: Pool<unsafe extern "C" fn(i32, , i32), 3>; }
ringback::callback_pool! { static SEMICOLON: Pool<unsafe extern "C" fn(i32; i32), 3>; }
ringback::callback_pool! { static PATTERN: Pool<unsafe extern "C" fn((a, b): (i32, i32)), 3>; }

fn main() {}
