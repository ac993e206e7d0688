// SPDX-License-Identifier: MIT OR Apache-2.0

//! After a listener's registration: closed, waited for, proved quiet.

use super::barrier;
use super::registration::{Lease, Registration, Shared};
use super::signature::Signature;
use super::thread;
#[cfg(feature = "std")]
use super::wait::{self, NotQuiet, Patience};
use super::waiter::poll_quiet;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::marker::PhantomData;
use core::mem;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use core::time::Duration;

/// A closed slot whose listener may still be in use. Dropping it leaves the rest to the last call.
#[must_use = "wait for quiet, or `detach` to leave the rest to the last call"]
pub struct Retired<S: Signature, M = Shared> {
    lease: Lease,
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

    fn into_quiet(self) -> Quiet<S, M> {
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

    /// The proof, if no call is inside any more; does not wait, and allocates nothing.
    ///
    /// # Errors
    /// Gives itself back if a call is inside, or the barrier is refused.
    pub fn try_wait(self) -> Result<Quiet<S, M>, Self> {
        if self.lease.prove_again() && self.is_quiet() { Ok(self.into_quiet()) } else { Err(self) }
    }

    /// Waits until no call is inside.
    ///
    /// # Errors
    /// [`Pending`] says why waiting would be in vain.
    ///
    /// # Blocking
    /// As for [`Registration::unregister`].
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
            .field("index", &self.lease.index)
            .field("quiet", &self.is_quiet())
            .finish()
    }
}

/// The future of [`Retired`]: ready when no call is inside any more.
///
/// Needs no runtime: it is woken by the last call that leaves, on that call's thread. It ends with
/// [`Pending::Unprovable`] if the kernel refuses the barrier, and never if the listener itself waits
/// for it.
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

/// Why a wait for quiet was not begun: the retired registration, to be waited for elsewhere.
#[must_use = "the listener is retired but not proved unused"]
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
    /// For the old listener of a [`replace`](Registration::replace) this says nothing, since its
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
            .field("index", &self.lease.index)
            .finish()
    }
}

/// Retires many registrations with one barrier for all.
///
/// Each `unregister` of its own costs a barrier that interrupts every core on which the process
/// runs; this costs one. Every slot is closed when it returns.
///
/// ```
/// # ringback::callback_pool! {
/// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// let registrations = (0..10).map(|_| ON_LINE.register(|_| 0)).collect::<Result<Vec<_>, _>>()?;
/// for quiet in ringback::retire_all(registrations).wait()? {
///     quiet.confirm_forgotten();
/// }
/// assert_eq!(ON_LINE.stats().census.free, 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn retire_all<S: Signature>(
    registrations: impl IntoIterator<Item = Registration<S>>,
) -> RetiredAll<S> {
    let by = Location::caller();
    let leases: Vec<Lease> = registrations.into_iter().map(Registration::into_lease).collect();
    let closed: Vec<bool> =
        leases.iter().map(|lease| lease.core.close(lease.index, lease.link, by)).collect();
    let proved = barrier::heavy_fence(thread::record()).is_ok();
    for (lease, _) in leases.iter().zip(&closed).filter(|(_, closed)| **closed) {
        lease.core.after_barrier(lease.index, lease.link, proved);
    }
    RetiredAll { all: leases.into_iter().map(|lease| Retired::new(lease, true)).collect() }
}

/// Many closed slots: what [`retire_all`] returns.
#[must_use = "wait for quiet, or `detach` to leave the rest to the last calls"]
pub struct RetiredAll<S: Signature> {
    all: Vec<Retired<S>>,
}

impl<S: Signature> RetiredAll<S> {
    /// Whether no call is inside any of them.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.all.iter().all(Retired::is_quiet)
    }

    /// Each of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Retired<S>> {
        self.all
    }

    /// Waits until no call is inside any of them.
    ///
    /// # Errors
    /// Gives the proofs so far and the listeners for which waiting would be in vain.
    #[cfg(feature = "std")]
    pub fn wait(self) -> Result<Vec<Quiet<S>>, PendingAll<S>> {
        let mut quiet = Vec::with_capacity(self.all.len());
        let mut pending = Vec::new();
        for retired in self.all {
            match retired.wait() {
                Ok(proof) => quiet.push(proof),
                Err(why) => pending.push(why),
            }
        }
        if pending.is_empty() { Ok(quiet) } else { Err(PendingAll { quiet, pending }) }
    }

    /// Waits at most so long for all of them together.
    ///
    /// # Errors
    /// Gives itself back if one of them is not quiet by then.
    #[cfg(feature = "std")]
    pub fn wait_timeout(self, limit: Duration) -> Result<Vec<Quiet<S>>, Self> {
        let patience = Patience::at_most(limit);
        if self.all.iter().all(|retired| wait::wait(&retired.lease, patience).is_ok()) {
            Ok(self.all.into_iter().map(Retired::into_quiet).collect())
        } else {
            Err(self)
        }
    }

    /// Leaves the rest to the last calls.
    pub fn detach(self) {}
}

/// Some of many listeners could not be waited for.
#[cfg(feature = "std")]
pub struct PendingAll<S: Signature> {
    /// Those that are quiet.
    pub quiet: Vec<Quiet<S>>,
    /// Those that are not, each with the reason.
    pub pending: Vec<Pending<S>>,
}

#[cfg(feature = "std")]
impl<S: Signature> fmt::Display for PendingAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (quiet, pending) = (self.quiet.len(), self.pending.len());
        write!(f, "{pending} of {} listeners are not quiet", quiet + pending)?;
        match self.pending.first() {
            Some(first) => write!(f, "; the first: {first}"),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "std")]
impl<S: Signature> core::error::Error for PendingAll<S> {}

impl<S: Signature, M> fmt::Debug for WaitQuiet<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WaitQuiet").field(&self.0).finish()
    }
}

impl<S: Signature> fmt::Debug for RetiredAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}

#[cfg(feature = "std")]
impl<S: Signature> fmt::Debug for PendingAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAll")
            .field("quiet", &self.quiet.len())
            .field("pending", &self.pending)
            .finish()
    }
}
