ringback::callback_pool! { static NO_TYPE: Pool<unsafe extern "C" fn(code:), 3>; }
ringback::callback_pool! { static EMPTY: Pool<unsafe extern "C" fn(i32, , i32), 3>; }
ringback::callback_pool! { static SEMICOLON: Pool<unsafe extern "C" fn(i32; i32), 3>; }
ringback::callback_pool! { static PATTERN: Pool<unsafe extern "C" fn((a, b): (i32, i32)), 3>; }
ringback::callback_pool! { static WORDS: Pool<unsafe extern "C" fn(i32, unsigned int), 3>; }
ringback::callback_pool! { static STAR: Pool<unsafe extern "C" fn(i32, text: char *), 3>; }
ringback::callback_pool! { static AFTER: Pool<unsafe extern "C" fn(i32 number), 3>; }

fn main() {}
