// SPDX-License-Identifier: MIT OR Apache-2.0

//! What C APIs with user data allow: one function for all, the closure behind the data pointer.

use super::{Contestant, Entry, listener};
use std::ffi::c_void;

type Listener = Box<dyn Fn(u64) -> u64 + Send + Sync>;

/// # Safety
/// `data` points at a [`Listener`].
unsafe extern "C" fn call(data: *mut c_void, argument: u64) -> u64 {
    // SAFETY: the caller's promise.
    let listener = unsafe { &*data.cast::<Listener>() };
    listener(argument)
}

pub fn contestant(factor: u64) -> Contestant {
    let boxed: Box<Listener> = Box::new(Box::new(listener(factor)));
    let data = std::ptr::from_ref::<Listener>(&boxed).cast_mut().cast();
    Contestant::new("raw, Box<dyn Fn>", Entry::WithData(call, data), boxed)
}
