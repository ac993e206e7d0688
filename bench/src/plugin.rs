// SPDX-License-Identifier: MIT OR Apache-2.0

//! The contestants in a shared library: thread-local storage and calls between crates are dearer
//! there than in an executable.

mod contestants;

use contestants::{Contestant, Entry, Plain, closure_ffi, pooled};

/// Lends the function for the rest of the process.
fn lend(contestant: Contestant) -> Plain {
    let Entry::Plain(function) = contestant.entry else {
        unreachable!("both contestants below are functions without user data")
    };
    std::mem::forget(contestant);
    function
}

/// ringback's function for a listener that multiplies by `factor`.
#[unsafe(no_mangle)]
pub extern "C" fn bench_plugin_ringback(factor: u64) -> Plain {
    lend(pooled::contestant(factor))
}

/// The same by closure-ffi.
#[unsafe(no_mangle)]
pub extern "C" fn bench_plugin_closure_ffi(factor: u64) -> Plain {
    lend(closure_ffi::contestant(factor))
}
