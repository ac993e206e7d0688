//! `register` takes listeners that borrow nothing; others are for `scope`.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn main() {
    let names = vec![1];
    let _registration = POOL.register(|i| assert!(names.contains(&i)));
    let first = &names[0];
    let _moved = POOL.register(move |i| assert_eq!(i, *first));
    let local = |_| ();
    let _static = POOL.register_static(&local);
}
