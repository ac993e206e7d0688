ringback::callback_pool! { pub ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }
ringback::callback_pool! { pub(crate) const ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }
ringback::callback_pool! {}
ringback::callback_pool! { /// Documentation alone.
}
ringback::callback_pool! { #![allow(dead_code)] static ON_EVENT: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
