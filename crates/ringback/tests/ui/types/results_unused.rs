//! What must not be ignored.
#![deny(unused_must_use)]

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    POOL.register(|_| ());
    POOL.register(|_| ()).unwrap();
    POOL.reserve().unwrap();
    let registration = POOL.register(|_| ()).unwrap();
    registration.as_fn();
    registration.unregister();
    POOL.register(|_| ()).unwrap().retire();
    ringback::retire_all([POOL.register(|_| ()).unwrap()]);
    ringback::retire_all([POOL.register(|_| ()).unwrap()]).wait();
    POOL.register(|_| ()).unwrap().retire().wait_timeout(std::time::Duration::ZERO);
    POOL.register(|_| ()).unwrap().retire().into_future();
    POOL.lookup(POOL.thunk(0).unwrap());
}

use std::future::IntoFuture;
