//! The guard of a thread-bound listener stays on its thread.

ringback::callback_pool! { static POOL: Pool<unsafe extern "C" fn(i32), 3>; }

// With the bound of `std::thread::spawn`, whose own source is not on every machine to be shown.
fn another_thread<T: Send + 'static>(_: T) {}

fn registration() {
    another_thread(POOL.register_local(|_| ()).unwrap());
}

fn retired() {
    another_thread(POOL.register_local(|_| ()).unwrap().retire());
}

fn main() {}
