ringback::callback_pool! { static NO_LIST: Pool<unsafe extern "C" fn, 3>; }
ringback::callback_pool! { static NAMED: Pool<unsafe extern "C" fn on_event(i32), 3>; }

fn main() {}
