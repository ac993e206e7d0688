//! A scope's listener may be called on any thread too.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let count = std::cell::Cell::new(0);
    POOL.scope(|scope| {
        scope.register(|i| count.set(i)).unwrap();
    });
}
