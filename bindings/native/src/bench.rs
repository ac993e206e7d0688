// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rust calls C#: through a `Callback`, and through the bare pointer of the same delegate.

use crate::kinds::OnI32;
use std::hint::black_box;
use std::time::Instant;

fn timed(calls: i64, call: impl Fn(i32) -> i32, sum: &mut i64) -> f64 {
    let begin = Instant::now();
    *sum = (0..calls).map(|value| i64::from(call(black_box(value as i32 & 1023)))).sum();
    begin.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// Nanoseconds for a call of the callback, which is lent.
///
/// # Safety
/// `callback` is well-formed and alive; `sum` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_callback(callback: OnI32, calls: i64, sum: *mut i64) -> f64 {
    let callback = callback.adopt().expect("well-formed");
    // SAFETY: the caller's promise.
    let sum = unsafe { &mut *sum };
    timed(calls, |value| callback.call(value).expect("answers"), sum)
}

/// Nanoseconds for a call of the bare function.
///
/// # Safety
/// `function` is alive; `sum` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_raw(
    function: unsafe extern "C" fn(value: i32) -> i32,
    calls: i64,
    sum: *mut i64,
) -> f64 {
    // SAFETY: the caller's promise.
    let sum = unsafe { &mut *sum };
    // SAFETY: alive, by the caller's promise.
    timed(calls, |value| unsafe { function(value) }, sum)
}
