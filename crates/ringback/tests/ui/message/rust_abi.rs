ringback::callback_pool! { static PLAIN: Pool<fn(i32), 3>; }
ringback::callback_pool! { static UNSAFE: Pool<unsafe fn(i32), 3>; }
ringback::callback_pool! { static RUST: Pool<unsafe extern "Rust" fn(i32), 3>; }

fn main() {}
