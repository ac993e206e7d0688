//! The number of slots is a constant expression that comes out as zero.

const THREADS: usize = 4;
ringback::callback_pool! {
    static NONE: Pool<unsafe extern "C" fn(i32), { THREADS - 4 }>;
}
ringback::callback_pool! { static ALIAS: Pool<extern "C" fn(i32), THREADS_OF_NONE>; }
const THREADS_OF_NONE: usize = 0;

fn main() {}
