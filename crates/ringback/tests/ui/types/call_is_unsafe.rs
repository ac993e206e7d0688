//! A pool that is declared `unsafe extern` lends functions that are unsafe to call.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let registration = POOL.register(|_| ()).unwrap();
    (registration.as_fn())(1);
}
