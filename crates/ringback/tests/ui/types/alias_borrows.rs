//! The pool's type is the name of a function type that borrows.

type Borrowing = Option<unsafe extern "C" fn(&i32)>;
ringback::callback_pool! { static BORROWING: Pool<Borrowing, 3>; }

fn main() {}
