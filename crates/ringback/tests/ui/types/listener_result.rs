//! A listener that returns another type than the pool.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32) -> i32, 3>; fallback = 0; }
type Alias = Option<unsafe extern "C" fn(i32) -> i32>;
ringback::callback_pool! { static ALIAS: Pool<Alias, 3>; fallback = 0; }

fn main() {
    let _ = POOL.register(|_| "0");
    let _ = POOL.register(|_| {});
    let _ = POOL.register_mut(|_| None);
    let _ = POOL.register_once(|_| 0u8);
    let _ = ALIAS.register(|_| {});
}
