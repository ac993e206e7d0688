ringback::callback_pool! { static ELIDED: Pool<unsafe extern "C" fn(&i32) -> &i32, 3>; fallback = &0; }
ringback::callback_pool! { static NAMED: Pool<for<'a> unsafe extern "C" fn(&'a i32) -> &'a i32, 3>; fallback = &0; }
ringback::callback_pool! { static INSIDE: Pool<unsafe extern "C" fn(&i32) -> Option<&i32>, 3>; fallback = None; }
ringback::callback_pool! { static PATH: Pool<unsafe extern "C" fn(&i32) -> Message<'_>, 3>; fallback = Message(&0); }

fn main() {}
