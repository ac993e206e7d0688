// SPDX-License-Identifier: MIT OR Apache-2.0

//! GMP takes memory by three functions for the whole process, without user data: here they count what a
//! computation needs.
//!
//!     cargo run --release --example gmp_memory -- 20000

use ringback::callback_pool;
use ringback_example_libraries::gmp::*;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::error::Error;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

// GMP must not be given null. So the process ends where a listener panics, or where there is none, as it does
// where there is no memory.
callback_pool! {
    static ALLOCATE: Pool<unsafe extern "C" fn(size: usize) -> *mut c_void, 2>;
    fallback = std::process::abort();
    on_panic = abort;
}
callback_pool! {
    static REALLOCATE: Pool<unsafe extern "C" fn(memory: *mut c_void, old: usize, new: usize) -> *mut c_void, 2>;
    fallback = std::process::abort();
    on_panic = abort;
}
// A panic here would only leak.
callback_pool! {
    static FREE: Pool<unsafe extern "C" fn(memory: *mut c_void, size: usize), 2>;
}

#[derive(Default)]
struct Use {
    now: AtomicUsize,
    most: AtomicUsize,
    times: AtomicUsize,
}

impl Use {
    fn grow(&self, bytes: usize) {
        self.times.fetch_add(1, Relaxed);
        self.most.fetch_max(self.now.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    }
}

/// GMP's memory is aligned as C's is.
fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("GMP never asks for more than there is")
}

/// Never null.
fn checked(memory: *mut u8, size: usize) -> *mut c_void {
    if memory.is_null() { handle_alloc_error(layout(size)) } else { memory.cast() }
}

fn main() -> Result<(), Box<dyn Error>> {
    let n = std::env::args().nth(1).map_or(Ok(20_000), |n| n.parse())?;
    let used = Arc::new(Use::default());

    let counter = Arc::clone(&used);
    let allocate = ALLOCATE.register(move |size| {
        counter.grow(size);
        // SAFETY: GMP never asks for nothing.
        checked(unsafe { alloc(layout(size)) }, size)
    })?;
    let counter = Arc::clone(&used);
    let reallocate = REALLOCATE.register(move |memory: *mut c_void, old, new| {
        counter.now.fetch_sub(old, Relaxed);
        counter.grow(new);
        // SAFETY: GMP gives back what it was given, with its size.
        checked(unsafe { realloc(memory.cast(), layout(old), new) }, new)
    })?;
    let counter = Arc::clone(&used);
    let free = FREE.register(move |memory: *mut c_void, size| {
        counter.now.fetch_sub(size, Relaxed);
        // SAFETY: as above.
        unsafe { dealloc(memory.cast(), layout(size)) };
    })?;

    // SAFETY: set before GMP has any memory, and taken back when it has none.
    let digits = unsafe {
        let functions = (allocate.as_fn(), reallocate.as_fn(), free.as_fn());
        __gmp_set_memory_functions(Some(functions.0), Some(functions.1), Some(functions.2));
        let digits = digits_of_factorial(n);
        __gmp_set_memory_functions(None, None, None);
        digits
    };
    allocate.unregister()?.confirm_forgotten();
    reallocate.unregister()?.confirm_forgotten();
    free.unregister()?.confirm_forgotten();

    let [most, times, left] = [&used.most, &used.times, &used.now].map(|count| count.load(Relaxed));
    println!("{n}! has {digits} digits: {most} bytes at once, taken {times} times, {left} left");
    Ok(())
}

fn digits_of_factorial(n: u64) -> usize {
    let mut number = MaybeUninit::uninit();
    let number = number.as_mut_ptr();
    // SAFETY: initialised, used and cleared here.
    unsafe {
        __gmpz_init(number);
        __gmpz_fac_ui(number, n);
        let digits = __gmpz_sizeinbase(number, 10);
        __gmpz_clear(number);
        digits
    }
}
