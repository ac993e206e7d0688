// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pooled functions whose copies are counted: the proof that nobody will call any more.
//!
//! # State
//! A token is a reference to one [`Signal`]; so is the guard, until it retires. The last of them
//! drops the signal, which confirms the slot, gives up its pin on it and sets [`Forgotten`]. That may
//! happen inside the foreign library's own locks, so it is atomics only: no lock, no listener, no
//! destructor of a user's. A task that awaits it is woken there.

use super::abi::RbToken;
use super::count::{Counted, Strong};
use crate::boundary;
use crate::inbound::registration::{Handle, Registration, Shared};
use crate::inbound::retired::{Pending, Retired, WaitQuiet};
use crate::inbound::signature::Signature;
use crate::inbound::wait::Unpark;
use crate::sync::{AtomicBool, AtomicWaker, Ordering::*};
use core::ffi::c_void;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Dropped with the last copy.
struct Signal {
    slot: Option<Handle>,
    forgotten: Arc<Forgotten>,
}

#[derive(Default)]
struct Forgotten {
    is: AtomicBool,
    waiter: AtomicWaker,
}

impl Drop for Signal {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.confirm_closed(); // whoever had the registration has retired it before
        }
        self.forgotten.is.store(true, Release);
        if let Err(payload) = boundary::contain(|| self.forgotten.waiter.wake()) {
            boundary::discard(payload);
        }
    }
}

impl Forgotten {
    fn poll(&self, waker: &Waker) -> Poll<()> {
        self.waiter.register(waker);
        if self.is.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// False if the time ran out.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let parker = Unpark::this_thread();
        let waker = Waker::from(Arc::clone(&parker));
        loop {
            if self.poll(&waker).is_ready() {
                return true;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            parker.park(deadline);
        }
    }
}

/// A registration whose pointer travels with counted tokens.
///
/// A bare pointer cannot tell when the foreign side has forgotten it; a `std::function` can: let it
/// capture a [`token`](Self::token) beside the pointer (`ringback::function_with_token` in C++), and
/// when the last copy of it is destroyed, in whatever map, queue or call it was, the slot is confirmed
/// without anybody having to say so, and may serve another listener.
///
/// ```
/// # ringback::callback_pool! {
/// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// let tracked = ON_LINE.register(|number| number as i32)?.track();
/// let token = tracked.token(); // goes to C++ with the pointer
/// let retired = tracked.retire();
/// assert!(retired.is_quiet() && !retired.is_forgotten());
/// // What C++ does when the last copy of the `std::function` is destroyed:
/// unsafe { token.release.unwrap()(token.context) };
/// retired.wait()?;
/// assert_eq!(ON_LINE.stats().census.free, 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it retires the listener at once"]
pub struct Tracked<S: Signature, M = Shared> {
    registration: Registration<S, M>,
    signal: Strong<Signal>,
}

impl<S: Signature, M> Registration<S, M> {
    /// Counts the copies of the pointer, for a foreign side that can tell when the last is gone.
    pub fn track(self) -> Tracked<S, M> {
        let signal = Signal { slot: Some(self.handle()), forgotten: Arc::default() };
        Tracked { registration: self, signal: Strong::new(signal) }
    }
}

impl<S: Signature, M> Tracked<S, M> {
    /// The C function that leads to this listener.
    #[must_use]
    pub fn as_fn(&self) -> S::Pointer {
        self.registration.as_fn()
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.registration.slot()
    }

    /// A token for one more copy of the pointer. Who takes it releases it, as each of its copies.
    #[must_use]
    pub fn token(&self) -> RbToken {
        RbToken {
            context: self.signal.clone().into_raw().cast(),
            retain: Some(retain),
            release: Some(release),
        }
    }

    /// Closes the slot at once. Does not wait.
    #[track_caller]
    pub fn retire(self) -> TrackedRetired<S, M> {
        let Tracked { registration, signal } = self;
        let forgotten = Arc::clone(&signal.get().forgotten);
        let retired = registration.retire(); // before the signal is given up, which may be the last
        drop(signal);
        TrackedRetired { retired, forgotten }
    }

    /// Retires, and waits until no call is inside and no copy of the pointer is left: after `Ok` the
    /// listener has been dropped, and the slot may serve another.
    ///
    /// # Errors
    /// [`Pending`] says why waiting would be in vain. The slot is confirmed all the same once the last
    /// copy is gone.
    ///
    /// # Blocking
    /// As long as a call is inside or a copy is left, which is the foreign library's to end. Not on a
    /// thread that the library needs for that: use [`retire`](Self::retire) and
    /// [`TrackedRetired::wait_timeout`] there.
    #[track_caller]
    pub fn unregister(self) -> Result<(), Pending<S, M>> {
        self.retire().wait()
    }
}

impl<S: Signature, M> fmt::Debug for Tracked<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracked").field(&self.registration).finish()
    }
}

/// A closed slot whose listener or pointer may still be in use. Dropping it leaves the rest to the
/// last call and the last copy.
#[must_use = "wait for it, or `detach` to leave the rest to the last call and copy"]
pub struct TrackedRetired<S: Signature, M = Shared> {
    retired: Retired<S, M>,
    forgotten: Arc<Forgotten>,
}

impl<S: Signature, M> TrackedRetired<S, M> {
    /// Whether no call is inside any more, and the listener has been dropped.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.retired.is_quiet()
    }

    /// Whether no copy of the pointer is left.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.forgotten.is.load(Acquire)
    }

    /// Whether no call is inside and no copy of the pointer is left; does not wait.
    ///
    /// # Errors
    /// Gives itself back if a call is inside, a copy is left, or the barrier is refused.
    pub fn try_wait(self) -> Result<(), Self> {
        let TrackedRetired { retired, forgotten } = self;
        if !forgotten.is.load(Acquire) {
            return Err(TrackedRetired { retired, forgotten });
        }
        match retired.try_wait() {
            Ok(_) => Ok(()),
            Err(retired) => Err(TrackedRetired { retired, forgotten }),
        }
    }

    /// Leaves the rest to the last call, which drops the listener, and to the last copy, which confirms
    /// the slot.
    pub fn detach(self) {}

    /// Waits until no call is inside and no copy of the pointer is left.
    ///
    /// # Errors
    /// [`Pending`] says why waiting for the calls would be in vain.
    ///
    /// # Blocking
    /// As for [`Tracked::unregister`].
    pub fn wait(self) -> Result<(), Pending<S, M>> {
        self.retired.wait()?;
        self.forgotten.wait(None);
        Ok(())
    }

    /// Waits at most so long.
    ///
    /// # Errors
    /// Gives itself back if the time ran out, or if waiting would be in vain.
    pub fn wait_timeout(self, limit: Duration) -> Result<(), Self> {
        let TrackedRetired { retired, forgotten } = self;
        let deadline = Instant::now().checked_add(limit);
        if !forgotten.wait(deadline) {
            return Err(TrackedRetired { retired, forgotten });
        }
        let left = deadline.map_or(limit, |deadline| deadline.duration_since(Instant::now()));
        match retired.wait_timeout(left) {
            Ok(_) => Ok(()),
            Err(retired) => Err(TrackedRetired { retired, forgotten }),
        }
    }
}

impl<S: Signature, M> fmt::Debug for TrackedRetired<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedRetired")
            .field("retired", &self.retired)
            .field("forgotten", &self.is_forgotten())
            .finish()
    }
}

impl<S: Signature, M> IntoFuture for TrackedRetired<S, M> {
    type Output = Result<(), Pending<S, M>>;
    type IntoFuture = WaitForgotten<S, M>;

    fn into_future(self) -> Self::IntoFuture {
        WaitForgotten { quiet: Some(self.retired.into_future()), forgotten: self.forgotten }
    }
}

/// The future of [`TrackedRetired`]: ready when no call is inside and no copy is left.
pub struct WaitForgotten<S: Signature, M = Shared> {
    /// `None` once quiet.
    quiet: Option<WaitQuiet<S, M>>,
    forgotten: Arc<Forgotten>,
}

impl<S: Signature, M> Future for WaitForgotten<S, M> {
    type Output = Result<(), Pending<S, M>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(quiet) = &mut self.quiet {
            match Pin::new(quiet).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(pending)) => return Poll::Ready(Err(pending)),
                Poll::Ready(Ok(_)) => self.quiet = None,
            }
        }
        self.forgotten.poll(context.waker()).map(Ok)
    }
}

impl<S: Signature, M> fmt::Debug for WaitForgotten<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForgotten").field("quiet", &self.quiet).finish_non_exhaustive()
    }
}

/// # Safety
/// `context` is a token's, which the caller holds.
unsafe extern "C" fn retain(context: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { Counted::retain(context.cast::<Counted<Signal>>()) };
}

/// # Safety
/// `context` is a token's, which the caller gives up.
unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Strong::from_raw(context.cast::<Counted<Signal>>()) });
}
