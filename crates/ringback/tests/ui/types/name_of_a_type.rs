//! The pool's name is that of a type.

struct Event;
ringback::callback_pool! { static Event: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {}
