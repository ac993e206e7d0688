//! From the mailbox to the listener: one message at a time, in order, on the user's executor.

use super::inbox::Inbox;
use super::shared::{DISCARDING, Shared};
use crate::boundary;
use crate::observer::{Event, report};
use crate::sync::{Ordering::*, register};
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// What `Deliver` needs beside the inbox.
pub(crate) struct Manner {
    pub(crate) pool: &'static str,
    pub(crate) slot: usize,
    pub(crate) budget: u32,
    pub(crate) end_on_panic: bool,
}

/// Messages that the listener has and that are not accounted for yet.
struct Running<'a, M> {
    shared: &'a Shared<M>,
    messages: u64,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Completed,
    Panicked,
    Cancelled,
}

impl<'a, M> Running<'a, M> {
    fn begin(shared: &'a Shared<M>, messages: u64) -> Self {
        shared.running.store(messages, Relaxed);
        Running { shared, messages }
    }

    fn end(self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Completed => &self.shared.completed,
            Outcome::Panicked => &self.shared.panicked,
            Outcome::Cancelled => return, // as when it is dropped
        };
        self.shared.running.store(0, Relaxed);
        counter.store(counter.load(Relaxed) + self.messages, Relaxed); // one writer
        std::mem::forget(self);
    }
}

impl<M> Drop for Running<'_, M> {
    fn drop(&mut self) {
        self.shared.running.store(0, Relaxed);
        self.shared.cancelled.fetch_add(self.messages, Relaxed);
    }
}

/// Runs one listener future to its end, its panic, or until the mailbox is discarded.
async fn watch<M, F: Future<Output = ()>>(inbox: &Inbox<M>, manner: &Manner, future: F) -> Outcome {
    let shared = &*inbox.shared;
    let mut place = pin!(Some(future));
    let outcome = poll_fn(|context| {
        if shared.closing.load(Acquire) == DISCARDING {
            return Poll::Ready(Outcome::Cancelled);
        }
        let Some(running) = place.as_mut().as_pin_mut() else {
            return Poll::Ready(Outcome::Cancelled);
        };
        match catch_unwind(AssertUnwindSafe(|| running.poll(context))) {
            Ok(Poll::Ready(())) => Poll::Ready(Outcome::Completed),
            Ok(Poll::Pending) => {
                inbox.let_producers_in();
                // For `discard`, which wakes without looking whether this task is parked.
                register(&shared.consumer, context.waker());
                if shared.closing.load(SeqCst) == DISCARDING {
                    return Poll::Ready(Outcome::Cancelled);
                }
                Poll::Pending
            }
            Err(payload) => {
                let message = boundary::text_of(&*payload);
                let Manner { pool, slot, .. } = *manner;
                report(&Event::ListenerPanicked { pool, slot, message });
                boundary::discard(payload);
                Poll::Ready(Outcome::Panicked)
            }
        }
    })
    .await;
    if let Err(payload) = boundary::contain(|| place.set(None)) {
        boundary::discard(payload);
    }
    outcome
}

/// Lets other tasks of the executor run once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context: &mut Context<'_>| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Tells that this thread is polling this mailbox's listener: a drain that waits there would wait
/// for itself.
pub(super) mod polling {
    use std::cell::Cell;

    thread_local!(static INNERMOST: Cell<*const Level> = const { Cell::new(std::ptr::null()) });

    pub(in super::super) struct Level {
        mailbox: *const (),
        outer: *const Level,
    }

    /// Runs `poll` as the poll of `mailbox`.
    pub(in super::super) fn within<T>(mailbox: *const (), poll: impl FnOnce() -> T) -> T {
        struct Restore(*const Level);
        impl Drop for Restore {
            fn drop(&mut self) {
                INNERMOST.set(self.0);
            }
        }
        let level = Level { mailbox, outer: INNERMOST.get() };
        let _restore = Restore(level.outer);
        INNERMOST.set(&raw const level);
        poll()
    }

    pub(in super::super) fn is_within(mailbox: *const ()) -> bool {
        let mut level = INNERMOST.get();
        // SAFETY: each level is alive until `within` returns, which restores the outer one.
        while let Some(this) = unsafe { level.as_ref() } {
            if this.mailbox == mailbox {
                return true;
            }
            level = this.outer;
        }
        false
    }
}

/// Polls `future` so that a drain inside it notices where it is.
async fn marked<M, F: Future>(shared: &Arc<Shared<M>>, future: F) -> F::Output {
    let mut future = pin!(future);
    let mailbox = Arc::as_ptr(shared).cast::<()>();
    // A number, not a pointer, so that the future stays `Send`.
    let mailbox = mailbox.expose_provenance();
    poll_fn(|context| {
        let mailbox = std::ptr::without_provenance(mailbox);
        polling::within(mailbox, || future.as_mut().poll(context))
    })
    .await
}

/// Delivers until the registration has ended and everything queued is delivered or discarded.
pub(crate) async fn deliver<M, L: AsyncFnMut(M)>(
    mut inbox: Inbox<M>,
    manner: Manner,
    mut listener: L,
) {
    let mut left = manner.budget;
    while let Some(message) = poll_fn(|context| inbox.poll_next(context)).await {
        let running = Running::begin(&inbox.shared, 1);
        // In a block of its own, so that a panic while the future is made is caught too.
        let call = marked(&inbox.shared, async { listener(message).await });
        let outcome = watch(&inbox, &manner, call).await;
        running.end(&outcome);
        if outcome == Outcome::Panicked && manner.end_on_panic {
            return;
        }
        left -= 1;
        if left == 0 {
            left = manner.budget;
            inbox.let_producers_in_at_half();
            yield_now().await;
        }
    }
}

/// As [`deliver`], up to `most` messages at once.
pub(crate) async fn deliver_batches<M, L: AsyncFnMut(Batch<M>)>(
    mut inbox: Inbox<M>,
    manner: Manner,
    most: usize,
    mut listener: L,
) {
    let spare = Arc::new(Mutex::new(Vec::with_capacity(most)));
    let mut left = manner.budget as usize;
    while let Some(first) = poll_fn(|context| inbox.poll_next(context)).await {
        let mut messages =
            std::mem::take(&mut *spare.lock().unwrap_or_else(PoisonError::into_inner));
        messages.push(first);
        while messages.len() < most {
            let Some(message) = inbox.take_fresh() else { break };
            messages.push(message);
        }
        let count = messages.len();
        let running = Running::begin(&inbox.shared, count as u64);
        let batch = Batch { messages, spare: Arc::clone(&spare) };
        let call = marked(&inbox.shared, async { listener(batch).await });
        let outcome = watch(&inbox, &manner, call).await;
        running.end(&outcome);
        if outcome == Outcome::Panicked && manner.end_on_panic {
            return;
        }
        left = left.saturating_sub(count);
        if left == 0 {
            left = manner.budget as usize;
            inbox.let_producers_in_at_half();
            yield_now().await;
        }
    }
}

/// Several messages at once, in order. Its memory goes back to the mailbox when it is dropped, so
/// that no batch allocates.
#[derive(Debug)]
pub struct Batch<M> {
    messages: Vec<M>,
    spare: Arc<Mutex<Vec<M>>>,
}

impl<M> Batch<M> {
    /// Moves the messages out, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = M> + '_ {
        self.messages.drain(..)
    }
}

impl<M> Deref for Batch<M> {
    type Target = [M];

    fn deref(&self) -> &[M] {
        &self.messages
    }
}

impl<M> DerefMut for Batch<M> {
    fn deref_mut(&mut self) -> &mut [M] {
        &mut self.messages
    }
}

impl<M> Drop for Batch<M> {
    fn drop(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        messages.clear();
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = messages;
    }
}
