ringback::callback_pool! { static NUMBER: Pool<unsafe extern "C" fn(i32) -> i32, 3>; }
ringback::callback_pool! { static POINTER: Pool<unsafe extern "C" fn(i32) -> *const u8, 3>; on_panic = std::ptr::null(); }

fn main() {}
