// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rust closures, given to foreign code as callbacks.
//!
//! # State
//! A made callback's context is a [`Counted`] closure. A thread that is inside keeps a [`Frame`] on
//! its stack, linked from a thread-local, so that a `release` by which the closure would be dropped
//! *under the very call that runs it* is noticed: such releases are put off until the outermost frame
//! of that closure ends. A `release` on another thread cannot be the last one meanwhile, since who
//! calls holds a reference (rule 3 of the ABI).

use super::abi::{RbError, Status};
use super::callback::CallbackType;
use super::count::{Counted, Strong};
use super::error::ForeignError;
use crate::boundary;
use crate::observer::{Event, report};
use core::ffi::c_void;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// A closure that answers its result.
#[doc(hidden)]
pub struct Plain<F>(pub F);

/// A closure that answers a result or an error.
#[doc(hidden)]
pub struct Fallible<F>(pub F);

/// One call on this thread's stack.
struct Frame {
    context: *const c_void,
    outer: *const Frame,
    /// Releases that came while this was the outermost call of its closure.
    put_off: Cell<usize>,
}

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// The outermost call of this closure on this thread.
fn outermost(context: *const c_void) -> Option<&'static Frame> {
    let mut found = None;
    let mut frame = INNERMOST.get();
    // SAFETY: frames are linked from their beginning to their end, on this thread's stack; the
    // reference is used before any of them ends.
    while let Some(this) = unsafe { frame.as_ref() } {
        if this.context == context {
            found = Some(this);
        }
        frame = this.outer;
    }
    found
}

/// The foreign caller's request to a made callback, answered.
///
/// `invoke` passes the caller's arguments on.
///
/// # Safety
/// `context` is a made callback's of closure `F`, and the caller holds a reference; `out` may be
/// written, if there is a result; `error` is null or may be written.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn enter<T: CallbackType, F, R>(
    context: *mut c_void,
    out: *mut R,
    error: *mut RbError,
    invoke: impl FnOnce(&F) -> Result<R, ForeignError>,
) -> i32 {
    // SAFETY: made by `make`, and kept by the caller's reference; a release of it by this thread is
    // put off until the frame ends.
    let closure = unsafe { Counted::get(context.cast::<Counted<F>>()) };
    let frame = Frame { context, outer: INNERMOST.get(), put_off: Cell::new(0) };
    INNERMOST.set(&raw const frame);
    // Unwind safety: the closure's state is the closure's business, as with `std::thread`.
    let answer = catch_unwind(AssertUnwindSafe(|| invoke(closure)));
    INNERMOST.set(frame.outer);
    let status = match answer {
        Ok(Ok(value)) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            Status::OK.0
        }
        // SAFETY: the caller's promise.
        Ok(Err(said)) => unsafe { said.send(error) },
        // SAFETY: as above.
        Err(payload) => unsafe { panicked(T::NAME, payload, error) },
    };
    for _ in 0..frame.put_off.get() {
        // SAFETY: a reference that was to be released during the call; the call has ended.
        unsafe { release::<T, F>(context) };
    }
    status
}

/// # Safety
/// `error` is null or may be written.
#[cold]
unsafe fn panicked(
    callback: &'static str,
    payload: Box<dyn Any + Send>,
    error: *mut RbError,
) -> i32 {
    let message = boundary::text_of(&*payload).to_owned();
    report(&Event::CallbackPanicked { callback, message: &message });
    boundary::discard(payload);
    // SAFETY: the caller's promise.
    unsafe { ForeignError::with_status(Status::PANIC, message).send(error) }
}

/// Makes the context of a closure, with one reference.
#[doc(hidden)]
pub fn make<F>(closure: F) -> *mut c_void {
    Strong::new(closure).into_raw().cast()
}

/// The ABI's `retain` of made callbacks.
///
/// # Safety
/// `context` is a made callback's of closure `F`, and the caller holds a reference.
#[doc(hidden)]
pub unsafe extern "C" fn retain<F>(context: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { Counted::retain(context.cast::<Counted<F>>()) };
}

/// The ABI's `release` of made callbacks.
///
/// # Safety
/// `context` is a made callback's of closure `F`, and the caller gives up a reference.
#[doc(hidden)]
pub unsafe extern "C" fn release<T: CallbackType, F>(context: *mut c_void) {
    if let Some(frame) = outermost(context) {
        frame.put_off.set(frame.put_off.get() + 1);
        return;
    }
    // SAFETY: the caller's promise.
    let reference = unsafe { Strong::from_raw(context.cast::<Counted<F>>()) };
    contained(T::NAME, || drop(reference));
}

/// Runs user code that has no caller to tell of a panic: a destructor, a function that posts or
/// spawns. It ends here, and is reported.
pub(crate) fn contained(callback: &'static str, user_code: impl FnOnce()) {
    if let Err(payload) = boundary::contain(user_code) {
        let message = boundary::text_of(&*payload);
        report(&Event::CallbackPanicked { callback, message });
        boundary::discard(payload);
    }
}
