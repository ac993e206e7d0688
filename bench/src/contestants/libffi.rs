// SPDX-License-Identifier: MIT OR Apache-2.0

//! libffi: a generic trampoline that marshals the arguments into memory.

use super::{Contestant, Entry, Plain, listener};
use libffi::high::{Closure1, FnPtr1};

pub fn contestant(factor: u64) -> Contestant {
    // The closure is borrowed by the trampoline; both are leaked, since they cannot live together.
    let listener = Box::leak(Box::new(listener(factor)));
    let closure = Box::leak(Box::new(Closure1::new(listener)));
    let pointer: FnPtr1<'static, u64, u64> = *closure.code_ptr();
    // SAFETY: `FnPtr1` is a transparent wrapper of this function pointer, and gives no other access.
    let function = unsafe { std::mem::transmute::<FnPtr1<'static, u64, u64>, Plain>(pointer) };
    Contestant::new("libffi", Entry::Plain(function), ())
}
