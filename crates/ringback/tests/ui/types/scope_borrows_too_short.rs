//! A scope's listener borrows from outside of the scope, not from inside.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    POOL.scope(|scope| {
        let inside = 5;
        scope.register(|i| assert_eq!(i, inside)).unwrap();
    });
    let mut sum = 0;
    POOL.scope(|scope| {
        scope.register_mut(|i| sum += i).unwrap();
        sum += 1;
    });
    POOL.scope(|scope| {
        let count = std::rc::Rc::new(0);
        scope.register(move |_| drop(count.clone())).unwrap();
    });
}
