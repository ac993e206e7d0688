//! A listener with other arguments than the pool.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32, *const u8) -> i32, 3>; fallback = 0; }
type Alias = Option<unsafe extern "C" fn(i32, *const u8) -> i32>;
ringback::callback_pool! { static ALIAS: Pool<Alias, 3>; fallback = 0; }

fn number(_: i32) -> i32 {
    0
}

fn main() {
    let _ = POOL.register(|_: i32| 0);
    let _ = POOL.register(|_: i64, _| 0);
    let _ = POOL.register(number);
    let _ = POOL.register_mut(|_, _, _| 0);
    let _ = ALIAS.register(|_| 0);
    let _ = POOL.register(7);
}
