//! The border to foreign code: no panic of user code leaves Rust, whatever it was doing.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code that must not unwind further (a destructor, a waker, an observer).
///
/// Returns the panic's payload, to be handed to [`discard`] once it was reported.
pub(crate) fn contain<R>(user_code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    // The state such code leaves behind is dropped or never looked at again.
    catch_unwind(AssertUnwindSafe(user_code))
}

/// Drops a panic payload, whose own destructor may panic with another payload, and so on: one that
/// never comes to an end is leaked.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    let mut rest = Some(payload);
    for _ in 0..8 {
        let Some(payload) = rest.take() else { return };
        rest = contain(move || drop(payload)).err();
    }
    std::mem::forget(rest);
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

/// Computes an answer for the foreign caller, aborting the process if even that panics: there is
/// no value left to answer with, and unwinding into C is undefined behaviour.
pub(crate) fn answer_or_abort<R>(pool: &str, answer: impl FnOnce() -> R) -> R {
    match contain(answer) {
        Ok(value) => value,
        Err(payload) => {
            // Not `eprintln!`: it panics where standard error is closed.
            let _ = writeln!(
                std::io::stderr(),
                "ringback: an answer (fallback, on_panic, on_busy or on_wrong_thread) of pool \
                 {pool} panicked: {}; aborting, since the foreign caller must get a value",
                text_of(&*payload)
            );
            std::process::abort();
        }
    }
}
