ringback::callback_pool! { static VECTOR: Pool<unsafe extern "vectorcall" fn(i32), 3>; }

fn main() {}
