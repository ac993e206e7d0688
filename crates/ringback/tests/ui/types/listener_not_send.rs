//! `register` takes listeners that any thread may call; others are for `register_local`.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn shared() {
    let count = std::rc::Rc::new(1);
    let _ = POOL.register(move |_| drop(count.clone()));
}

fn exclusive() {
    let count = std::rc::Rc::new(1);
    let _ = POOL.register_mut(move |_| drop(count.clone()));
}

fn main() {}
