//! Rust closures that C# keeps.

use crate::kinds::{OnEnd, OnI64};
use ringback::ForeignError;
use ringback::abi::RbCallback;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

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
pub extern "C" fn native_adder(offset: i64) -> OnI64 {
    let counted = Counted;
    OnI64::new(move |value| {
        let _alive = &counted;
        value + offset
    })
}

/// Answers the value; an error below 0, an error without a text at 7, a panic above 9.
#[unsafe(no_mangle)]
pub extern "C" fn native_picky() -> OnI64 {
    let counted = Counted;
    OnI64::fallible(move |value| {
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
pub extern "C" fn native_relay(inner: OnI64) -> OnI64 {
    let counted = Counted;
    let inner = inner.adopt().expect("well-formed");
    OnI64::fallible(move |value| {
        let _alive = &counted;
        inner.call(value)
    })
}

/// Calls `inner`, then looks at its own state, which must be there even if `inner` has released this.
#[unsafe(no_mangle)]
pub extern "C" fn native_calls_out(inner: OnEnd) -> OnEnd {
    let state = (Counted, vec![1_u8; 64]);
    let inner = inner.adopt().expect("well-formed");
    OnEnd::fallible(move || {
        let state = &state; // all of it, not the vector alone
        inner.call()?;
        assert_eq!(state.1.iter().map(|&byte| usize::from(byte)).sum::<usize>(), 64);
        Ok(())
    })
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
pub extern "C" fn native_static() -> OnI64 {
    // SAFETY: takes any value, on any thread.
    unsafe { OnI64::of_function(double) }
}

/// An adder that may not be copied.
#[unsafe(no_mangle)]
pub extern "C" fn native_single_owner() -> RbCallback {
    RbCallback { retain: None, ..native_adder(1).into_raw() }
}
