ringback::callback_pool! { static NUMBER: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = -1; fallback = 0; }

fn main() {}
