ringback::callback_pool! { static METHOD: Pool<unsafe extern "C" fn(&self, i32), 3>; }
ringback::callback_pool! { static TYPED: Pool<unsafe extern "C" fn(self: *const u8, i32), 3>; }

fn main() {}
