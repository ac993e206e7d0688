ringback::callback_pool! { static TYPE: Pool<for<T> unsafe extern "C" fn(T), 3>; }
ringback::callback_pool! { static BOUND: Pool<for<'a, 'b: 'a> unsafe extern "C" fn(&'a &'b i32), 3>; }

fn main() {}
