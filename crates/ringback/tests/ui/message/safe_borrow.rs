ringback::callback_pool! { static SAFE: Pool<extern "C" fn(i32, message: &i32), 3>; }
ringback::callback_pool! { static MUTABLE: Pool<extern "C" fn(&mut i32), 3>; }

fn main() {}
