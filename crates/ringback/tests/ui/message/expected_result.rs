ringback::callback_pool! { static NO_TYPE: Pool<unsafe extern "C" fn(i32) ->, 3>; fallback = 0; }
ringback::callback_pool! { static NO_ARROW: Pool<unsafe extern "C" fn(i32): i32, 3>; fallback = 0; }

fn main() {}
