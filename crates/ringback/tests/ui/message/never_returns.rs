ringback::callback_pool! { static ENDLESS: Pool<unsafe extern "C" fn(i32) -> !, 3>; }

fn main() {}
