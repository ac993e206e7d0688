//! `register` takes listeners that many threads may call at once; others are for `register_mut`.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let count = std::cell::Cell::new(1);
    let _ = POOL.register(move |add| count.set(count.get() + add));
}
