ringback::callback_pool! { static PROTECTION: Pool<unsafe extern "C" fn(i32), 3>; protection = membarrier; }

fn main() {}
