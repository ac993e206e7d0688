//! What a scope lends does not leave it.
#![allow(unused)]

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let guard = POOL.scope(|scope| scope.register(|_| ()).unwrap());
    let mut outer = None;
    POOL.scope(|scope| outer = Some(scope));
}
