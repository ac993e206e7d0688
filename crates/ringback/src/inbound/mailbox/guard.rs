// SPDX-License-Identifier: MIT OR Apache-2.0

//! The guard of an async listener, and the two ways to end it: drain and discard.

use super::shared::{DISCARDING, DRAINING, SETTLED, Shared};
use super::stats::Counts;
use crate::inbound::registration::Registration;
use crate::inbound::retired::{Pending, Quiet, Retired, WaitQuiet};
use crate::inbound::signature::Signature;
use crate::inbound::thread;
use crate::sync::{AtomicBool, Ordering::*, register};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// An async listener's place in a pool.
///
/// Dropping it closes the slot at once; what is queued is still delivered, then the deliver future
/// ends. To wait for that use [`drain`](Self::drain), to give it up [`discard`](Self::discard).
#[must_use = "dropping a registration retires its listener at once"]
pub struct AsyncRegistration<S: Signature, M> {
    registration: Option<Registration<S>>,
    shared: Arc<Shared<M>>,
}

impl<S: Signature, M> AsyncRegistration<S, M> {
    pub(crate) fn new(registration: Registration<S>, shared: Arc<Shared<M>>) -> Self {
        AsyncRegistration { registration: Some(registration), shared }
    }

    fn registration(&self) -> &Registration<S> {
        self.registration.as_ref().expect("taken only when this is consumed")
    }

    /// The C function that leads to this listener; see [`Registration::as_fn`].
    #[must_use]
    pub fn as_fn(&self) -> S::Pointer {
        self.registration().as_fn()
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.registration().slot()
    }

    /// What became of every message so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.shared)
    }

    /// How long messages have waited so far; `None` unless the mailbox was set up with
    /// [`measure_wait`](crate::Mailbox::measure_wait).
    #[cfg(feature = "histogram")]
    #[must_use]
    pub fn wait_times(&self) -> Option<super::WaitTimes> {
        self.shared.wait_times.as_ref().map(super::wait_times::Recorder::read)
    }

    /// Watches for a listener that makes no progress although messages wait, for a supervisor that
    /// looks now and then. Costs the messages nothing.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// use ringback::{Mailbox, Take};
    /// use std::time::Duration;
    /// let take = |number| Take::Accept(number, 0);
    /// let (registration, deliver) =
    ///     ON_LINE.register_async(Mailbox::bounded(16), take, async |number: u32| println!("{number}"))?;
    /// let mut watch = registration.watch_stall(Duration::from_millis(10));
    /// assert_eq!(watch.check(), None);
    /// registration.as_fn()(7); // and nobody polls `deliver`
    /// std::thread::sleep(Duration::from_millis(20));
    /// if let Some(stalled) = watch.check() {
    ///     eprintln!("{} messages wait, for {:?}", stalled.waiting, stalled.stalled_for);
    /// }
    /// # assert!(watch.check().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watch_stall(&self, limit: Duration) -> StallWatch<M> {
        StallWatch { shared: Arc::clone(&self.shared), limit, last: (0, Instant::now()) }
    }

    /// Closes the slot, delivers what is queued, and ends. Producers that wait for room are let go
    /// with a rejection.
    #[track_caller]
    pub fn drain(self) -> Drain<S, M> {
        self.end(DRAINING)
    }

    /// Closes the slot, drops what is queued, and cancels the listener that is running.
    #[track_caller]
    pub fn discard(self) -> Drain<S, M> {
        self.end(DISCARDING)
    }

    #[track_caller]
    fn end(mut self, how: u8) -> Drain<S, M> {
        let retired = close(&mut self, how);
        Drain {
            quiet: retired.map(IntoFuture::into_future),
            proof: None,
            shared: Arc::clone(&self.shared),
            deadline: None,
        }
    }
}

/// The slot first, then the mailbox, then whoever waits on either side of it.
#[track_caller]
fn close<S: Signature, M>(guard: &mut AsyncRegistration<S, M>, how: u8) -> Option<Retired<S>> {
    let retired = guard.registration.take()?.retire();
    guard.shared.close(how);
    Some(retired)
}

impl<S: Signature, M> Drop for AsyncRegistration<S, M> {
    fn drop(&mut self) {
        if let Some(registration) = self.registration.take() {
            drop(registration);
            self.shared.close(DRAINING);
        }
    }
}

impl<S: Signature, M> fmt::Debug for AsyncRegistration<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncRegistration")
            .field("registration", &self.registration)
            .field("counts", &self.counts())
            .finish()
    }
}

/// The end of an async listener: ready when no call is inside and the deliver future has ended.
///
/// Somebody must go on polling the deliver future, or drop it. Dropping this leaves both to
/// themselves.
///
/// ```
/// # ringback::callback_pool! {
/// #     static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// use ringback::{Mailbox, NotDrained, Take};
/// use std::time::Duration;
/// # futures_executor::block_on(async {
/// let (registration, deliver) =
///     ON_VALUE.register_async(Mailbox::bounded(16), |value| Take::Accept(value, 0), async |_| {})?;
/// (registration.as_fn())(7);
/// let drain = registration.drain().timeout(Duration::from_secs(5));
/// let (_, drained) = futures_util::join!(deliver, drain); // or spawn `deliver` where it is made
/// match drained {
///     Ok(drained) => {
///         assert_eq!(drained.counts.completed, 1);
///         drained.quiet.confirm_forgotten(); // if the foreign side keeps no copy of the pointer
///     }
///     Err(NotDrained::TimedOut(counts)) => eprintln!("gave up: {counts}"),
///     Err(other) => eprintln!("{other}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[must_use = "the slot is closed already; await this to know when everything has ended"]
pub struct Drain<S: Signature, M> {
    quiet: Option<WaitQuiet<S>>,
    proof: Option<Quiet<S>>,
    shared: Arc<Shared<M>>,
    deadline: Option<Deadline>,
}

/// The time limit of a drain; `passed` is set by the thread that cuts it off, before it does.
struct Deadline {
    at: Instant,
    passed: Arc<AtomicBool>,
}

/// An async listener has ended: what became of its messages, and the proof for its slot.
#[derive(Debug)]
pub struct Drained<S: Signature> {
    /// Exact: nothing more will happen.
    pub counts: Counts,
    /// For [`Quiet::confirm_forgotten`].
    pub quiet: Quiet<S>,
}

/// An async listener has not ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotDrained {
    /// The drain is awaited inside the very listener that it waits for; it ends once that returns.
    WouldDeadlock(Counts),
    /// The time ran out. What was queued is now being discarded and the running listener cancelled,
    /// as soon as its executor polls it.
    TimedOut(Counts),
    /// The kernel refuses the barrier; see [`Pending::Unprovable`].
    Unprovable(Counts),
    /// A call that was pushing is left by a thread that does not exist any more; see
    /// [`Pending::Vanished`]. What it had claimed is never delivered, nor is what stands behind it.
    Vanished(Counts),
}

impl fmt::Display for NotDrained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, counts) = match self {
            NotDrained::WouldDeadlock(counts) => {
                ("a listener cannot wait for its own end; drop the registration instead", counts)
            }
            NotDrained::TimedOut(counts) => (
                "the listener did not end in time, or nobody polls its deliver future; the rest is being discarded",
                counts,
            ),
            NotDrained::Unprovable(counts) => {
                ("the kernel refuses membarrier(2); use ringback::init(Protection::Fence)", counts)
            }
            NotDrained::Vanished(counts) => (
                "a thread that does not exist any more (a fork?) was delivering into it; register anew",
                counts,
            ),
        };
        write!(f, "{text} ({counts})")
    }
}

impl std::error::Error for NotDrained {}

impl<S: Signature, M> Drain<S, M>
where
    M: Send + 'static,
{
    /// At most so long; then what is left is discarded. A thread keeps the time, since the executor
    /// is not known.
    pub fn timeout(mut self, limit: Duration) -> Self {
        let Some(at) = Instant::now().checked_add(limit) else { return self };
        let shared = Arc::downgrade(&self.shared);
        let passed = Arc::new(AtomicBool::new(false));
        let told = Arc::downgrade(&passed); // gone with this, or with the limit that another replaces
        let keeper = std::thread::Builder::new().name("ringback-drain".into()).spawn(move || {
            while let Some(left) = at.checked_duration_since(Instant::now()) {
                if told.strong_count() == 0 {
                    return;
                }
                std::thread::sleep(left.min(Duration::from_millis(50)));
            }
            if let (Some(shared), Some(told)) = (shared.upgrade(), told.upgrade()) {
                told.store(true, SeqCst);
                shared.close(DISCARDING);
                super::shared::wake(&shared.ended);
            }
        });
        // Without a thread the limit is looked at whenever this is polled.
        drop(keeper);
        self.deadline = Some(Deadline { at, passed });
        self
    }
}

impl<S: Signature, M> Unpin for Drain<S, M> {}

impl<S: Signature, M> Future for Drain<S, M> {
    type Output = Result<Drained<S>, NotDrained>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let counts = || Counts::of(&this.shared);
        register(&this.shared.ended, context.waker());
        if let Some(quiet) = &mut this.quiet
            && let Poll::Ready(ended) = Pin::new(quiet).poll(context)
        {
            this.quiet = None;
            match ended {
                Ok(proof) => this.proof = Some(proof),
                Err(Pending::Vanished(_)) => {
                    return Poll::Ready(Err(NotDrained::Vanished(counts())));
                }
                Err(_) => return Poll::Ready(Err(NotDrained::Unprovable(counts()))),
            }
        }
        let cut_off = this.deadline.as_ref().is_some_and(|deadline| deadline.passed.load(SeqCst));
        if !cut_off
            && this.shared.gone.load(Acquire) & SETTLED != 0
            && let Some(quiet) = this.proof.take()
        {
            return Poll::Ready(Ok(Drained { counts: counts(), quiet }));
        }
        if this.shared.delivered.polled_by.load(Relaxed) == thread::number() {
            return Poll::Ready(Err(NotDrained::WouldDeadlock(counts())));
        }
        if cut_off || this.deadline.as_ref().is_some_and(|deadline| Instant::now() >= deadline.at) {
            this.shared.close(DISCARDING);
            return Poll::Ready(Err(NotDrained::TimedOut(counts())));
        }
        Poll::Pending
    }
}

impl<S: Signature, M> fmt::Debug for Drain<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("counts", &Counts::of(&self.shared)).finish_non_exhaustive()
    }
}

/// A listener that makes no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// For how long nothing has been finished, as far as the supervisor has looked.
    pub stalled_for: Duration,
    /// Messages that wait, the running ones included.
    pub waiting: u64,
}

/// Looks whether an async listener goes on; made by [`AsyncRegistration::watch_stall`].
pub struct StallWatch<M> {
    shared: Arc<Shared<M>>,
    limit: Duration,
    last: (u64, Instant),
}

impl<M> StallWatch<M> {
    /// Call it now and then: tells when messages wait and none was finished for longer than the
    /// limit.
    pub fn check(&mut self) -> Option<Stalled> {
        let counts = Counts::of(&self.shared);
        let waiting = counts.queued + counts.running;
        let progress = counts.accepted.wrapping_sub(waiting);
        if waiting == 0 || progress != self.last.0 {
            self.last = (progress, Instant::now());
            return None;
        }
        let since = self.last.1.elapsed();
        (since >= self.limit).then_some(Stalled { stalled_for: since, waiting })
    }
}

impl<M> fmt::Debug for StallWatch<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallWatch").field("limit", &self.limit).finish_non_exhaustive()
    }
}
