//! Each state of a registration is left behind by the next.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let registration = POOL.register(|_| ()).unwrap();
    let _quiet = registration.unregister();
    registration.as_fn();
}
