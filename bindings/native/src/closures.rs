// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rust closures that foreign code keeps.

use crate::{OnDoor, OnEnd, OnValue};
use ringback::ForeignError;
use ringback::abi::RbCallback;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

static DROPS: AtomicUsize = AtomicUsize::new(0);

/// Counts when it is dropped.
pub(crate) struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        DROPS.fetch_add(1, SeqCst);
    }
}

/// How many closures of this library have been dropped so far.
#[unsafe(no_mangle)]
pub extern "C" fn native_drops() -> usize {
    DROPS.load(SeqCst)
}

/// Answers the value and `offset`.
#[unsafe(no_mangle)]
pub extern "C" fn native_adder(offset: i64) -> OnValue {
    let counted = Counted;
    OnValue::new(move |value| {
        let _alive = &counted;
        value + offset
    })
}

/// Answers the value; an error below 0, an error without a text at 7, a panic above 9.
#[unsafe(no_mangle)]
pub extern "C" fn native_picky() -> OnValue {
    let counted = Counted;
    OnValue::fallible(move |value| {
        let _alive = &counted;
        match value {
            ..0 => Err(ForeignError::new(format_args!("{value} is too small for Grüße"))),
            7 => Err(ForeignError::new("")),
            8 => Err(ForeignError::with_status(ringback::abi::Status(77), "odd")),
            0..10 => Ok(value),
            _ => panic!("{value} is too large"),
        }
    })
}

/// Calls `inner` and answers what it answers, errors too.
#[unsafe(no_mangle)]
pub extern "C" fn native_relay(inner: OnValue) -> OnValue {
    let counted = Counted;
    let inner = inner.adopt().expect("well-formed");
    OnValue::fallible(move |value| {
        let _alive = &counted;
        inner.call(value)
    })
}

/// Calls `inner`, and then touches its own state: which must still be there, even if `inner` has
/// released the closure.
#[unsafe(no_mangle)]
pub extern "C" fn native_calls_out(inner: OnEnd) -> OnEnd {
    let state = (Counted, vec![1_u8; 64]);
    let inner = inner.adopt().expect("well-formed");
    OnEnd::fallible(move || {
        let state = &state; // all of it, so that it is dropped with the closure
        inner.call()?;
        assert_eq!(state.1.iter().map(|&byte| usize::from(byte)).sum::<usize>(), 64);
        Ok(())
    })
}

/// Not.
#[unsafe(no_mangle)]
pub extern "C" fn native_not() -> OnDoor {
    OnDoor::new(|open| !open)
}

/// Takes the callback to another thread and drops it there, some time later.
#[unsafe(no_mangle)]
pub extern "C" fn native_drop_later(callback: OnValue) {
    thread::spawn(move || {
        thread::yield_now();
        drop(callback);
    });
}

/// Doubles.
///
/// # Safety
/// Always safe to call.
unsafe extern "C" fn double(value: i64) -> i64 {
    value * 2
}

/// A plain function, without counting.
#[unsafe(no_mangle)]
pub extern "C" fn native_static() -> OnValue {
    // SAFETY: takes any value, on any thread.
    unsafe { OnValue::of_function(double) }
}

/// An adder that may not be copied.
#[unsafe(no_mangle)]
pub extern "C" fn native_single_owner() -> RbCallback {
    RbCallback { retain: None, ..native_adder(1).into_raw() }
}
