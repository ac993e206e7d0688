// SPDX-License-Identifier: MIT OR Apache-2.0

//! What ringback noticed and can tell nobody else: foreign code called, so there is no Rust caller
//! to return an error to.

use crate::boundary;
use crate::sync::{AtomicPtr, Ordering::*};
use alloc::boxed::Box;
use core::{fmt, ptr};

/// Something that happened inside a foreign call or in the background.
///
/// Events are also counted, per pool: see [`Stats`](crate::Stats); panics of async listeners by their
/// mailbox.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A listener panicked; the foreign caller got the pool's `on_panic` answer. That of an async listener was
    /// answered before.
    ListenerPanicked {
        /// The pool's name, with its module path.
        pool: &'a str,
        /// The slot, as [`Registration::slot`](crate::Registration::slot) gives it.
        slot: usize,
        /// The panic's text.
        message: &'a str,
    },
    /// User code behind a callback panicked. A closure or a task: its foreign caller got
    /// [`Status::PANIC`](crate::abi::Status::PANIC) and the text. A destructor, or a function that posts
    /// or spawns: nobody else is told.
    CallbackPanicked {
        /// The callback type's name, with its module path.
        callback: &'a str,
        /// The panic's text.
        message: &'a str,
    },
    /// The destructor of a listener panicked, and the rest of its drop went on; or that of an argument which C
    /// passed by value to a slot without a listener.
    DropPanicked {
        /// The pool's name, with its module path.
        pool: &'a str,
        /// The panic's text.
        message: &'a str,
    },
    /// A call came in through a pointer whose slot has no listener.
    StaleCall {
        /// The pool's name, with its module path.
        pool: &'a str,
        /// The slot.
        slot: usize,
    },
    /// The kernel refused the barrier that proves a listener unused; the listener is kept for ever.
    BarrierRefused {
        /// The pool's name, with its module path.
        pool: &'a str,
    },
    /// The end of a scope waits for a call that itself waits for this scope: a deadlock that
    /// ringback can see but not end, since the scope's borrows must outlive the call.
    ScopeDeadlock {
        /// The pool's name, with its module path.
        pool: &'a str,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::ListenerPanicked { pool, slot, message } => {
                write!(f, "listener in slot {slot} of pool {pool} panicked: {message}")
            }
            Event::CallbackPanicked { callback, message } => {
                write!(f, "callback {callback} panicked: {message}")
            }
            Event::DropPanicked { pool, message } => {
                write!(f, "destructor of a listener of pool {pool} panicked: {message}")
            }
            Event::StaleCall { pool, slot } => {
                write!(f, "stale call through slot {slot} of pool {pool}")
            }
            Event::BarrierRefused { pool } => write!(
                f,
                "membarrier(2) was refused, so a retired listener of pool {pool} cannot be proved \
                 unused and is kept; call ringback::init(Protection::Fence) before registering \
                 where a sandbox forbids it later"
            ),
            Event::ScopeDeadlock { pool } => write!(
                f,
                "a scope of pool {pool} and a call inside it wait for each other; the scope cannot \
                 end"
            ),
        }
    }
}

/// Receives every [`Event`].
///
/// It runs on the thread where the event happened, which may be a foreign one inside a callback:
/// be brief, take no lock that is held around foreign calls. A panic in it is swallowed.
///
/// ```
/// use ringback::{Event, Observer};
///
/// struct ToStderr;
/// impl Observer for ToStderr {
///     fn observe(&self, event: &Event<'_>) {
///         eprintln!("{event}");
///     }
/// }
/// assert!(ringback::set_observer(&ToStderr).is_ok());
/// ```
pub trait Observer: Sync {
    /// One event happened.
    fn observe(&self, event: &Event<'_>);
}

/// A box that holds the observer and is never freed.
static OBSERVER: AtomicPtr<&'static dyn Observer> = AtomicPtr::new(ptr::null_mut());

/// Sets the observer of the whole process; it stays until the process ends.
///
/// ```
/// use ringback::{Event, Observer};
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// struct StaleCalls(AtomicU64);
/// impl Observer for StaleCalls {
///     fn observe(&self, event: &Event<'_>) {
///         if let Event::StaleCall { .. } = event {
///             self.0.fetch_add(1, Relaxed);
///         }
///     }
/// }
/// static STALE_CALLS: StaleCalls = StaleCalls(AtomicU64::new(0));
/// assert!(ringback::set_observer(&STALE_CALLS).is_ok(), "set before");
/// # ringback::callback_pool! {
/// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// # ON_LINE.thunk(0).unwrap()(1);
/// # assert_eq!(STALE_CALLS.0.load(Relaxed), 1);
/// ```
///
/// # Errors
/// Gives the observer back if one was set before.
pub fn set_observer(observer: &'static dyn Observer) -> Result<(), &'static dyn Observer> {
    let new = Box::into_raw(Box::new(observer));
    match OBSERVER.compare_exchange(ptr::null_mut(), new, Release, Relaxed) {
        Ok(_) => Ok(()),
        // SAFETY: made above, and given to nobody.
        Err(_) => Err(*unsafe { Box::from_raw(new) }),
    }
}

/// Tells the observer, and `tracing` where that feature is on. Called with no lock held.
#[cold]
pub(crate) fn report(event: &Event<'_>) {
    let told = boundary::contain(|| {
        #[cfg(feature = "tracing")]
        match event {
            Event::StaleCall { pool, slot } => {
                tracing::debug!(target: "ringback", pool, slot, "{event}");
            }
            Event::ListenerPanicked { pool, slot, .. } => {
                tracing::error!(target: "ringback", pool, slot, "{event}");
            }
            Event::CallbackPanicked { callback, .. } => {
                tracing::error!(target: "ringback", callback, "{event}");
            }
            Event::DropPanicked { pool, .. } | Event::ScopeDeadlock { pool } => {
                tracing::error!(target: "ringback", pool, "{event}");
            }
            Event::BarrierRefused { pool } => {
                tracing::warn!(target: "ringback", pool, "{event}");
            }
        }
        // SAFETY: null, or a box that is never freed.
        if let Some(observer) = unsafe { OBSERVER.load(Acquire).as_ref() } {
            observer.observe(event);
        }
    });
    if let Err(payload) = told {
        boundary::discard(payload);
    }
}
