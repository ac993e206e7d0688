ringback::callback_pool! { static NO_TYPE; }
ringback::callback_pool! { static NOT_A_POOL: [unsafe extern "C" fn(i32); 3]; }
ringback::callback_pool! { static NO_PARAMETERS: Pool; }
ringback::callback_pool! { static NO_FUNCTION: Pool<, 3>; }
ringback::callback_pool! { static OTHER_PATH: ringback::Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
