//! `register` takes listeners that change nothing of their own; others are for `register_mut` and
//! `register_once`.
#![allow(unused)]

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }
type Alias = unsafe extern "C" fn(i32);
ringback::callback_pool! { static ALIAS: Pool<Alias, 3>; }

fn main() {
    let mut count = 0;
    let _ = POOL.register(move |add| count += add);
    let text = String::new();
    let _ = ALIAS.register(move |_| drop(text));
}
