ringback::callback_pool! { static NUMBER: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fall_back = -1; }

fn main() {}
