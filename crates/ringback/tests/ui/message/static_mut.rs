ringback::callback_pool! { static mut ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
