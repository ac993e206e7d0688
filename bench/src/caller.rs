// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls by the C compiler's code (`caller.c`), timed and checked.

use crate::contestants::{Entry, Plain, WithData};
use std::ffi::c_void;
use std::hint::black_box;
use std::time::Instant;

// Cargo gives what `build.rs` builds to the package's library only; the binary asks for itself.
#[link(name = "ringback_bench_caller", kind = "static")]
unsafe extern "C" {
    fn bench_call(function: Plain, calls: u64) -> u64;
    fn bench_call_with_data(function: WithData, data: *mut c_void, calls: u64) -> u64;
}

/// Lets C call `entry` with 0, 1, .., `calls - 1`, and returns nanoseconds per call.
///
/// # Panics
/// If the answers are not those of a listener that multiplies by `factor`.
pub fn nanoseconds_per_call(entry: Entry, factor: u64, calls: u64) -> f64 {
    let begin = Instant::now();
    // SAFETY: the function's contestant is alive, and is called with what it was made for.
    let sum = unsafe {
        match black_box(entry) {
            Entry::Plain(function) => bench_call(function, calls),
            Entry::WithData(function, data) => bench_call_with_data(function, data, calls),
        }
    };
    let elapsed = begin.elapsed();
    assert_eq!(sum, expected(factor, calls), "some call did not reach its listener");
    elapsed.as_secs_f64() * 1e9 / calls as f64
}

fn expected(factor: u64, calls: u64) -> u64 {
    (0..calls).sum::<u64>().wrapping_mul(factor)
}
