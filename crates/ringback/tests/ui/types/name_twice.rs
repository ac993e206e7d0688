//! Two pools of one name.

ringback::callback_pool! { static ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }
ringback::callback_pool! { static ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
