ringback::callback_pool! { static ABI: Pool<unsafe extern "C" fn(i32), 3>; on_panic = propagate; }
ringback::callback_pool! { static BY_NAME: Pool<Callback, 3>; on_panic = propagate; }

fn main() {}
