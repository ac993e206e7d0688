ringback::callback_pool! { static REUSE: Pool<unsafe extern "C" fn(i32), 3>; export = "on_message"; }

fn main() {}
