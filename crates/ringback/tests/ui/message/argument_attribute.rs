ringback::callback_pool! { static CONDITION: Pool<unsafe extern "C" fn(#[cfg(unix)] i32, u8), 3>; }
ringback::callback_pool! { static LINT: Pool<unsafe extern "C" fn(a: i32, #[allow(unused)] b: u8), 3>; }

fn main() {}
