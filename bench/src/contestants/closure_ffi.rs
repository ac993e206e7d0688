// SPDX-License-Identifier: MIT OR Apache-2.0

//! closure-ffi: machine code made at run time.

use super::{Contestant, Entry, Plain, listener};
use closure_ffi::BareFnSync;

/// A closure as a C function, for as long as it lives.
pub type Made = BareFnSync<'static, Plain>;

pub fn contestant(factor: u64) -> Contestant {
    let made = Made::new_c(listener(factor));
    Contestant::new("closure-ffi", Entry::Plain(made.bare()), made)
}
