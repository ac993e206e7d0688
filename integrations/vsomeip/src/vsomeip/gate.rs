// SPDX-License-Identifier: MIT OR Apache-2.0

//! A gate in front of a closure: it is closed at once, and quiet later.
//!
//! # State
//! `calls` counts the calls inside and has one bit for *closed*. `gone` is set, once, by whoever has
//! dropped the closure: the reaper for a vsomeip handler, the delivery for a listener.
//!
//! # Ordering
//! A call enters (`fetch_add`) before it looks whether the gate is closed; closing sets the bit. Both
//! act on one atomic: a call that began before the close is counted in it, and none begins after.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const CLOSED: usize = 1 << (usize::BITS - 1);

#[derive(Default)]
pub(crate) struct Gate {
    calls: AtomicUsize,
    gone: Mutex<Gone>,
    changed: Condvar,
}

#[derive(Default)]
struct Gone {
    gone: bool,
    wakers: Vec<Waker>,
}

thread_local! {
    /// The gate this thread is inside of, the innermost one.
    static INSIDE: Cell<*const Gate> = const { Cell::new(ptr::null()) };
}

/// Whether this thread runs something behind a gate: it must not wait for one then.
pub(crate) fn is_inside() -> bool {
    !INSIDE.get().is_null()
}

/// Marks the thread as inside, for its lifetime.
struct Mark(*const Gate);

impl Mark {
    fn new(gate: &Gate) -> Self {
        Mark(INSIDE.replace(gate))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        INSIDE.set(self.0);
    }
}

/// Counts a call out.
pub(crate) struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Release);
    }
}

impl Gate {
    /// Counts a call in, unless the gate is closed.
    pub(crate) fn begin(&self) -> Option<Leave<'_>> {
        let closed = self.calls.fetch_add(1, AcqRel) & CLOSED != 0;
        let leave = Leave(&self.calls);
        (!closed).then_some(leave)
    }

    /// Runs `call` unless the gate is closed.
    pub(crate) fn enter<R>(&self, call: impl FnOnce() -> R) -> Option<R> {
        let _leave = self.begin()?;
        let _mark = Mark::new(self);
        Some(call())
    }

    /// Runs the future that `call` makes, unless the gate is closed.
    pub(crate) async fn enter_async<F: Future<Output = ()>>(
        &self,
        call: impl FnOnce() -> F,
    ) -> bool {
        let Some(_leave) = self.begin() else { return false };
        let mut future = {
            let _mark = Mark::new(self);
            pin!(call())
        };
        poll_fn(|context| {
            let _mark = Mark::new(self);
            future.as_mut().poll(context)
        })
        .await;
        true
    }

    /// From here on no call begins. Answers whether this was the first to close it.
    pub(crate) fn close(&self) -> bool {
        self.calls.fetch_or(CLOSED, AcqRel) & CLOSED == 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.calls.load(Acquire) & CLOSED != 0
    }

    /// Whether no call is inside.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.load(Acquire) & !CLOSED == 0
    }

    fn lock(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The closure is dropped: tells everybody who waits, with no lock held.
    pub(crate) fn finish(&self) {
        let mut gone = self.lock();
        gone.gone = true;
        let wakers = std::mem::take(&mut gone.wakers);
        drop(gone);
        self.changed.notify_all();
        for waker in wakers {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                report("a waker", panic);
            }
        }
    }
}

/// Proof that no call is inside, none can begin, and the closure or listener is dropped.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quiet;

/// Why an end was not waited for.
#[derive(Debug)]
pub enum NotQuiet {
    /// The time is up. No call begins any more; wait again, or drop this: the rest then happens in
    /// the background.
    TimedOut(Ending),
    /// This thread is inside what it waits for, or inside a vsomeip handler.
    WouldDeadlock(Ending),
}

impl fmt::Display for NotQuiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotQuiet::TimedOut(_) => "not quiet in time; no call begins any more, the rest is left",
            NotQuiet::WouldDeadlock(_) => {
                "quiet cannot be waited for inside a handler or listener; await it elsewhere"
            }
        })
    }
}

impl std::error::Error for NotQuiet {}

/// The end of a handler or listener whose gate is closed: await it, or wait for it, until it is
/// dropped.
#[must_use = "awaiting it proves quiet; call `detach` to leave it to the background"]
pub struct Ending {
    gate: Option<Arc<Gate>>,
}

impl Ending {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Ending { gate: Some(gate) }
    }

    /// Whether it is over.
    pub fn is_quiet(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.lock().gone)
    }

    /// Waits, at most so long.
    ///
    /// # Errors
    /// [`NotQuiet`], which gives this back. Inside a handler or listener it never waits.
    pub fn wait_timeout(self, limit: Duration) -> Result<Quiet, NotQuiet> {
        let Some(gate) = self.gate.as_ref().filter(|_| !self.is_quiet()) else { return Ok(Quiet) };
        if super::handler::must_not_wait() {
            return Err(NotQuiet::WouldDeadlock(self));
        }
        let deadline = Instant::now().checked_add(limit);
        let mut gone = gate.lock();
        while !gone.gone {
            let left = deadline.map_or(limit, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                drop(gone);
                return Err(NotQuiet::TimedOut(self));
            }
            gone = gate.changed.wait_timeout(gone, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Quiet)
    }

    /// Leaves the rest to the background.
    pub fn detach(self) {}
}

/// Resolves once it is over. Needs no runtime. Inside itself it answers
/// [`NotQuiet::WouldDeadlock`].
impl Future for Ending {
    type Output = Result<Quiet, NotQuiet>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(gate) = self.gate.clone() else { return Poll::Ready(Ok(Quiet)) };
        if INSIDE.get() == Arc::as_ptr(&gate) {
            return Poll::Ready(Err(NotQuiet::WouldDeadlock(Ending { gate: self.gate.take() })));
        }
        let mut gone = gate.lock();
        if gone.gone {
            return Poll::Ready(Ok(Quiet));
        }
        if !gone.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            gone.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("quiet", &self.is_quiet()).finish()
    }
}

/// Logs a panic, and contains one of the payload's destructor.
pub(crate) fn report(what: &str, panic: Box<dyn std::any::Any + Send>) {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no text)".to_owned());
    log::error!("{what} panicked: {text}");
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}
