ringback::callback_pool! { static COUNT: Pool<unsafe extern "C" fn(i32), 3>; count_calls = 1; }

fn main() {}
