//! The pool's type is the name of something else.

ringback::callback_pool! { static NUMBER: Pool<u32, 3>; fallback = 0; }

type Plain = fn(i32);
ringback::callback_pool! { static RUST: Pool<Plain, 3>; }

fn main() {}
