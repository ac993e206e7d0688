// SPDX-License-Identifier: MIT OR Apache-2.0

//! Many registrations, retired with one barrier.

use super::core::Lease;
use super::registration::Registration;
use super::retired::{Pending, Quiet, Retired, WaitQuiet};
use super::signature::Signature;
#[cfg(feature = "std")]
use super::wait::{self, Patience};
use alloc::vec::{self, Vec};
use core::fmt;
use core::future::{Future, IntoFuture};
use core::mem;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
#[cfg(feature = "std")]
use core::time::Duration;

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
    let by = Some(Location::caller());
    // All of them before the first gives up its guard: the iterator is user code.
    let registrations: Vec<Registration<S>> = registrations.into_iter().collect();
    let leases: Vec<Lease> = registrations.into_iter().map(Registration::into_lease).collect();
    let closed: Vec<bool> =
        leases.iter().map(|lease| lease.core.close(lease.index, lease.link, by)).collect();
    let proved = S::pool().core.barrier().is_ok();
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

    /// The proofs, if no call is inside any of them any more; does not wait.
    ///
    /// # Errors
    /// Gives itself back if a call is inside one of them, or the barrier is refused.
    pub fn try_wait(self) -> Result<Vec<Quiet<S>>, Self> {
        if self.all.iter().all(Retired::is_proved) {
            Ok(self.all.into_iter().map(Retired::into_quiet).collect())
        } else {
            Err(self)
        }
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

impl<S: Signature> IntoFuture for RetiredAll<S> {
    type Output = Result<Vec<Quiet<S>>, PendingAll<S>>;
    type IntoFuture = WaitAllQuiet<S>;

    fn into_future(self) -> Self::IntoFuture {
        let quiet = Vec::with_capacity(self.all.len());
        let mut rest = self.all.into_iter();
        WaitAllQuiet {
            current: rest.next().map(Retired::into_future),
            rest,
            quiet,
            pending: Vec::new(),
        }
    }
}

/// The future of [`RetiredAll`]: ready when no call is inside any of them, or waiting would be in vain
/// for those that are left. As [`WaitQuiet`] it needs no runtime.
pub struct WaitAllQuiet<S: Signature> {
    current: Option<WaitQuiet<S>>,
    rest: vec::IntoIter<Retired<S>>,
    quiet: Vec<Quiet<S>>,
    pending: Vec<Pending<S>>,
}

impl<S: Signature> Future for WaitAllQuiet<S> {
    type Output = Result<Vec<Quiet<S>>, PendingAll<S>>;

    /// One after the other: each that is waited for is retired already, so none delays another. Polled
    /// after it was ready, it has nothing left to give: an empty list.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(current) = &mut self.current {
            match ready!(Pin::new(current).poll(context)) {
                Ok(proof) => self.quiet.push(proof),
                Err(why) => self.pending.push(why),
            }
            self.current = self.rest.next().map(Retired::into_future);
        }
        let (quiet, pending) = (mem::take(&mut self.quiet), mem::take(&mut self.pending));
        Poll::Ready(if pending.is_empty() { Ok(quiet) } else { Err(PendingAll { quiet, pending }) })
    }
}

/// Some of many listeners could not be waited for.
pub struct PendingAll<S: Signature> {
    /// Those that are quiet.
    pub quiet: Vec<Quiet<S>>,
    /// Those that are not, each with the reason.
    pub pending: Vec<Pending<S>>,
}

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

impl<S: Signature> core::error::Error for PendingAll<S> {}

impl<S: Signature> fmt::Debug for RetiredAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}

impl<S: Signature> fmt::Debug for PendingAll<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAll")
            .field("quiet", &self.quiet.len())
            .field("pending", &self.pending)
            .finish()
    }
}

impl<S: Signature> fmt::Debug for WaitAllQuiet<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitAllQuiet")
            .field("quiet", &self.quiet.len())
            .field("pending", &self.pending)
            .field("waiting", &(usize::from(self.current.is_some()) + self.rest.len()))
            .finish()
    }
}
