ringback::callback_pool! { static : Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
