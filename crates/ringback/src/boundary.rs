// SPDX-License-Identifier: MIT OR Apache-2.0

//! The border to foreign code: no panic of user code leaves Rust, whatever it was doing.
//!
//! Without `std` a panic cannot be caught: it ends the program, by the panic handler or by a second
//! panic on its way out.

use alloc::{boxed::Box, string::String};
use core::any::Any;

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Runs user code that must not unwind further (a listener, a destructor, a waker, an observer).
///
/// Returns the panic's payload, to be handed to [`discard`] once it was reported.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn contain<R>(user_code: impl FnOnce() -> R) -> Result<R, Payload> {
    // Unwind safety: the state such code leaves behind is its own business, as with `std::thread`.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(user_code))
}

#[cfg(not(feature = "std"))]
#[inline(always)]
#[allow(clippy::unnecessary_wraps)] // as with `std`
pub(crate) fn contain<R>(user_code: impl FnOnce() -> R) -> Result<R, Payload> {
    let unwinding_ends_here = Second;
    let value = user_code();
    core::mem::forget(unwinding_ends_here);
    Ok(value)
}

/// Panics when it is dropped: while another panic unwinds, that ends the program.
#[cfg(not(feature = "std"))]
struct Second;

#[cfg(not(feature = "std"))]
impl Drop for Second {
    fn drop(&mut self) {
        panic!("ringback: a panic would have reached C");
    }
}

/// Ends the process.
pub(crate) fn abort() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    {
        let _second = Second;
        panic!("ringback: aborting");
    }
}

/// Lets a panic go on where the pool says so. Without `std` nobody has one to hand in.
pub(crate) fn propagate(payload: Payload) -> ! {
    #[cfg(feature = "std")]
    std::panic::resume_unwind(payload);
    #[cfg(not(feature = "std"))]
    {
        drop(payload);
        abort()
    }
}

/// Drops a panic payload, whose own destructor may panic with another payload, and so on: one that
/// never comes to an end is leaked.
pub(crate) fn discard(payload: Payload) {
    let mut rest = Some(payload);
    for _ in 0..8 {
        let Some(payload) = rest.take() else { return };
        rest = contain(move || drop(payload)).err();
    }
    core::mem::forget(rest);
}

/// The text of a panic payload, as the default panic hook would print it.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "Box<dyn Any>"
    }
}

/// Prints where there is somewhere to print to.
pub(crate) fn tell(message: core::fmt::Arguments<'_>) {
    #[cfg(feature = "std")]
    {
        use std::io::Write;
        // Not `eprintln!`: it panics where standard error is closed.
        let _ = writeln!(std::io::stderr(), "ringback: {message}");
    }
    #[cfg(not(feature = "std"))]
    let _ = message;
}

/// Computes an answer for the foreign caller, aborting the process if even that panics: there is
/// no value left to answer with, and unwinding into C is undefined behaviour.
pub(crate) fn answer_or_abort<R>(pool: &str, answer: impl FnOnce() -> R) -> R {
    match contain(answer) {
        Ok(value) => value,
        Err(payload) => {
            tell(format_args!(
                "an answer (fallback, on_panic, on_busy or on_wrong_thread) of pool {pool} panicked: \
                 {}; aborting, since the foreign caller must get a value",
                text_of(&*payload)
            ));
            abort();
        }
    }
}
