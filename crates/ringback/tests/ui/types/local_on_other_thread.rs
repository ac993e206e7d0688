//! The guard of a thread-bound listener stays on its thread.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

fn registration() {
    let registration = POOL.register_local(|_| ()).unwrap();
    std::thread::spawn(move || drop(registration));
}

fn retired() {
    let retired = POOL.register_local(|_| ()).unwrap().retire();
    std::thread::spawn(move || drop(retired));
}

fn main() {}
