ringback::callback_pool! { static NONE: Pool<unsafe extern "C" fn(i32), 0>; }

fn main() {}
