// SPDX-License-Identifier: MIT OR Apache-2.0

//! After a listener's registration: closed, waited for, proved quiet.

use super::core::Lease;
use super::registration::Shared;
use super::signature::Signature;
#[cfg(feature = "std")]
use super::wait::{self, NotQuiet, Patience};
use super::waiter::poll_quiet;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use core::time::Duration;

/// A closed slot whose listener may still be in use. Dropping it leaves the rest to the last call, which
/// drops the listener on its own thread, frees its memory and wakes who waits.
#[must_use = "wait for quiet, or `detach` to leave the rest to the last call"]
pub struct Retired<S: Signature, M = Shared> {
    pub(super) lease: Lease,
    /// False for the old listener of a `replace`: its slot is still in use.
    last: bool,
    marker: PhantomData<(fn() -> S, M)>,
}

// SAFETY: as for `Registration`.
unsafe impl<S: Signature> Send for Retired<S, Shared> {}
// SAFETY: as for `Registration`.
unsafe impl<S: Signature> Sync for Retired<S, Shared> {}

impl<S: Signature, M> Retired<S, M> {
    pub(crate) fn new(lease: Lease, last: bool) -> Self {
        Retired { lease, last, marker: PhantomData }
    }

    /// Whether no call is inside any more, and the listener has been dropped.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.lease.header().is_quiet()
    }

    pub(super) fn into_quiet(self) -> Quiet<S, M> {
        let Retired { lease, last, .. } = self;
        mem::forget(self);
        Quiet { lease, last, marker: PhantomData }
    }

    #[cfg(feature = "std")]
    fn wait_with(self, patience: Patience) -> Result<Quiet<S, M>, (NotQuiet, Self)> {
        match wait::wait(&self.lease, patience) {
            Ok(()) => Ok(self.into_quiet()),
            Err(why) => Err((why, self)),
        }
    }

    /// Whether it is quiet, also if the barrier was refused before.
    pub(super) fn is_proved(&self) -> bool {
        self.lease.prove_again() && self.is_quiet()
    }

    /// The proof, if no call is inside any more; does not wait, and allocates nothing.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// # fn other_work() {}
    /// let mut retired = ON_LINE.register(|_| 0)?.retire();
    /// let quiet = loop {
    ///     match retired.try_wait() {
    ///         Ok(quiet) => break quiet,
    ///         Err(not_yet) => retired = not_yet,
    ///     }
    ///     other_work();
    /// };
    /// quiet.confirm_forgotten();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Gives itself back if a call is inside, or the barrier is refused.
    pub fn try_wait(self) -> Result<Quiet<S, M>, Self> {
        if self.is_proved() { Ok(self.into_quiet()) } else { Err(self) }
    }

    /// Waits until no call is inside.
    ///
    /// # Errors
    /// [`Pending`] says why waiting would be in vain.
    ///
    /// # Blocking
    /// As for [`Registration::unregister`](crate::Registration::unregister).
    #[cfg(feature = "std")]
    pub fn wait(self) -> Result<Quiet<S, M>, Pending<S, M>> {
        self.wait_with(Patience::Unlimited).map_err(|(why, retired)| match why {
            NotQuiet::StillInside => Pending::StillInside(retired),
            NotQuiet::Unprovable => Pending::Unprovable(retired),
            NotQuiet::Vanished => Pending::Vanished(retired),
            NotQuiet::WouldDeadlock | NotQuiet::TimedOut => Pending::WouldDeadlock(retired),
        })
    }

    /// Waits at most so long.
    ///
    /// # Errors
    /// Gives itself back if the time ran out, or if waiting would be in vain; [`wait`](Self::wait)
    /// tells which.
    #[cfg(feature = "std")]
    pub fn wait_timeout(self, limit: Duration) -> Result<Quiet<S, M>, Self> {
        self.wait_with(Patience::at_most(limit)).map_err(|(_, retired)| retired)
    }

    /// Leaves the rest to the last call: it drops the listener when it leaves.
    pub fn detach(self) {}
}

impl<S: Signature, M> Drop for Retired<S, M> {
    fn drop(&mut self) {
        // SAFETY: dropped once, and forgotten wherever the lease moves on.
        unsafe { self.lease.release() };
    }
}

impl<S: Signature, M> fmt::Debug for Retired<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retired")
            .field("pool", &self.lease.core.name)
            .field("slot", &self.lease.index)
            .field("quiet", &self.is_quiet())
            .finish()
    }
}

/// The future of [`Retired`]: ready when no call is inside any more.
///
/// Needs no runtime: it is woken by the last call that leaves, on that call's thread. It ends with
/// [`Pending::Unprovable`] if the kernel refuses the barrier, and never if the listener itself waits
/// for it, or two that wait for each other: only threads that block are found in a circle. It looks whether a
/// thread inside has vanished when it is polled, which such a thread does not cause.
pub struct WaitQuiet<S: Signature, M = Shared>(Option<Retired<S, M>>);

impl<S: Signature, M> Unpin for WaitQuiet<S, M> {}

impl<S: Signature, M> Future for WaitQuiet<S, M> {
    type Output = Result<Quiet<S, M>, Pending<S, M>>;

    /// # Panics
    /// When polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let retired = self.0.take().expect("polled after it was ready");
        if !retired.lease.prove_again() {
            return Poll::Ready(Err(Pending::Unprovable(retired)));
        }
        if poll_quiet(retired.lease.header(), context).is_ready() {
            return Poll::Ready(Ok(retired.into_quiet()));
        }
        #[cfg(feature = "std")]
        if wait::is_vanished(&retired.lease) {
            return Poll::Ready(Err(Pending::Vanished(retired)));
        }
        self.0 = Some(retired);
        Poll::Pending
    }
}

impl<S: Signature, M> IntoFuture for Retired<S, M> {
    type Output = Result<Quiet<S, M>, Pending<S, M>>;
    type IntoFuture = WaitQuiet<S, M>;

    fn into_future(self) -> Self::IntoFuture {
        WaitQuiet(Some(self))
    }
}

impl<S: Signature, M> fmt::Debug for WaitQuiet<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitQuiet").field(&self.0).finish()
    }
}

/// Why a wait for quiet was not begun: the retired registration, to be waited for elsewhere.
#[must_use = "the listener is retired but not proved unused"]
#[non_exhaustive]
pub enum Pending<S: Signature, M = Shared> {
    /// This thread is inside the listener: it would wait for itself. The last call drops it.
    StillInside(Retired<S, M>),
    /// A call that is inside waits for a listener which this thread is inside of.
    WouldDeadlock(Retired<S, M>),
    /// The kernel refused `membarrier(2)`, so it cannot be known whether a call is inside. The
    /// listener is kept for ever; waiting again tries again.
    Unprovable(Retired<S, M>),
    /// A call is inside whose thread does not exist any more: it was left behind by a `fork`, or
    /// ended by a bare `exit` system call; or it was about to drop the listener when another thread
    /// forked. The listener is kept for ever, since what that thread left half done in it cannot be
    /// known. Linux only. Of calls that are counted ([`Protection::Counter`](crate::Protection::Counter))
    /// it is known after a fork, elsewhere they end by a time limit.
    Vanished(Retired<S, M>),
}

impl<S: Signature, M> Pending<S, M> {
    /// The retired registration, whatever the reason.
    pub fn into_retired(self) -> Retired<S, M> {
        match self {
            Pending::StillInside(retired)
            | Pending::WouldDeadlock(retired)
            | Pending::Unprovable(retired)
            | Pending::Vanished(retired) => retired,
        }
    }
}

impl<S: Signature, M> fmt::Display for Pending<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pending::StillInside(_) => {
                "the calling thread is inside this listener; detach, or wait on another thread"
            }
            Pending::WouldDeadlock(_) => {
                "a call inside this listener waits for a listener that the calling thread is inside \
                 of; return first, then wait"
            }
            Pending::Unprovable(_) => {
                "the kernel refuses membarrier(2), so nobody can tell whether a call is inside; \
                 call ringback::init(Protection::Fence) at the start of the program"
            }
            Pending::Vanished(_) => {
                "a call is inside, or the listener was being dropped, by a thread that does not exist any \
                 more (a fork?), so the listener is kept for ever; detach"
            }
        })
    }
}

impl<S: Signature, M> fmt::Debug for Pending<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, retired) = match self {
            Pending::StillInside(retired) => ("StillInside", retired),
            Pending::WouldDeadlock(retired) => ("WouldDeadlock", retired),
            Pending::Unprovable(retired) => ("Unprovable", retired),
            Pending::Vanished(retired) => ("Vanished", retired),
        };
        f.debug_tuple(name).field(retired).finish()
    }
}

impl<S: Signature, M> core::error::Error for Pending<S, M> {}

/// Proof that no call is inside the listener and none can enter; it has been dropped.
///
/// Dropping the proof gives the slot to the pool's [`Reuse`](crate::Reuse) policy.
pub struct Quiet<S: Signature, M = Shared> {
    lease: Lease,
    last: bool,
    marker: PhantomData<(fn() -> S, M)>,
}

// SAFETY: as for `Registration`; the listener is gone.
unsafe impl<S: Signature, M> Send for Quiet<S, M> {}
// SAFETY: as above.
unsafe impl<S: Signature, M> Sync for Quiet<S, M> {}

impl<S: Signature, M> Quiet<S, M> {
    /// Says that the foreign side holds no copy of the pointer any more, so that the slot may serve
    /// another listener under [`Reuse::AfterConfirmation`](crate::Reuse).
    ///
    /// ringback cannot check this: it follows from the foreign library's own rules, say that its
    /// unregister function waits, or that its context was destroyed. If it is wrong, a stale call
    /// may reach a later listener of the same signature; never anything worse.
    ///
    /// For the old listener of a [`replace`](crate::Registration::replace) this says nothing, since its
    /// slot is still in use.
    pub fn confirm_forgotten(self) {
        if self.last {
            self.lease.confirm();
        }
    }
}

impl<S: Signature, M> Drop for Quiet<S, M> {
    fn drop(&mut self) {
        // SAFETY: dropped once.
        unsafe { self.lease.release() };
    }
}

impl<S: Signature, M> fmt::Debug for Quiet<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quiet")
            .field("pool", &self.lease.core.name)
            .field("slot", &self.lease.index)
            .finish()
    }
}
