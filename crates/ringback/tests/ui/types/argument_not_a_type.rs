//! An argument that is no type.

ringback::callback_pool! { static WORDS: Pool<unsafe extern "C" fn(i32, unsigned int), 3>; }

fn main() {}
