//! `register` takes listeners that many threads may call at once; others are for `register_mut`.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }
ringback::callback_pool! { static ALIAS: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let mut count = 0;
    let _ = POOL.register(move |add| count += add);
    let text = String::new();
    let _ = ALIAS.register(move |_| drop(text));
}
