ringback::callback_pool! { static REUSE: Pool<unsafe extern "C" fn(i32), 3>; reuse = newest_first; }

fn main() {}
