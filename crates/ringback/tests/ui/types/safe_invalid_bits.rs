//! A safe function with arguments that trust the C caller.

#[repr(u8)]
enum Level {
    Low,
    High,
}
ringback::callback_pool! { static BOOL: Pool<extern "C" fn(i32, flag: bool), 3>; }
ringback::callback_pool! { static ENUM: Pool<extern "C" fn(Level), 3>; }
ringback::callback_pool! { static NON_NULL: Pool<extern "C" fn(std::ptr::NonNull<u8>, u8), 3>; }
ringback::callback_pool! { static OPTION: Pool<extern "C" fn(Option<&u8>), 3>; }

fn main() {}
