//! The pool's type is a name that does not exist.

ringback::callback_pool! { static UNKNOWN: Pool<EventHandler, 3>; }

fn main() {}
