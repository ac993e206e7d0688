ringback::callback_pool! { static NO_SLOTS: Pool<unsafe extern "C" fn(i32)>; }
ringback::callback_pool! { static EMPTY: Pool<unsafe extern "C" fn(i32), >; }
ringback::callback_pool! { static SHIFTED: Pool<unsafe extern "C" fn(i32), 1 << 4>; }

fn main() {}
