//! A scope's listener borrows from outside of the scope, not from inside.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn inside() {
    POOL.scope(|scope| {
        let inside = 5;
        scope.register(|i| assert_eq!(i, inside)).unwrap();
    });
}

fn used_meanwhile() {
    let mut sum = 0;
    POOL.scope(|scope| {
        scope.register_mut(|i| sum += i).unwrap();
        sum += 1;
    });
}

fn main() {}
