//! A pool that is more visible than its argument.

struct Message(#[allow(unused)] i32);

ringback::callback_pool! { pub static POOL: Pool<unsafe extern "C" fn(i32, &Message), 3>; }
type Alias = unsafe extern "C" fn(*const Message);
ringback::callback_pool! { pub static ALIAS: Pool<Alias, 3>; }

fn main() {}
