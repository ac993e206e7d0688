ringback::callback_pool! { static NO_END: Pool<unsafe extern "C" fn(i32), 3; }
ringback::callback_pool! { static THREE_PARAMETERS: Pool<unsafe extern "C" fn(i32), 3, 4>; }

fn main() {}
