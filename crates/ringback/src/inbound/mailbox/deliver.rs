// SPDX-License-Identifier: MIT OR Apache-2.0

//! From the mailbox to the listener: one message at a time, in order, on the user's executor.

use super::config::Mailbox;
use super::inbox::Inbox;
use super::shared::{DISCARDING, Shared};
use crate::boundary;
use crate::inbound::thread;
use crate::observer::{Event, report};
use crate::sync::{Ordering::*, register};
use std::future::{Future, poll_fn};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// What `Deliver` needs beside the inbox.
pub(crate) struct Manner {
    pub(crate) pool: &'static str,
    pub(crate) slot: usize,
    pub(crate) budget: u32,
    pub(crate) end_on_panic: bool,
}

impl Manner {
    pub(crate) fn of<M, R>(mailbox: &Mailbox<M, R>, pool: &'static str, slot: usize) -> Self {
        Manner { pool, slot, budget: mailbox.budget, end_on_panic: mailbox.end_on_panic }
    }
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
        shared.delivered.running.store(messages, Relaxed);
        Running { shared, messages }
    }

    fn end(self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Completed => &self.shared.delivered.completed,
            Outcome::Panicked => &self.shared.delivered.panicked,
            Outcome::Cancelled => return, // as when it is dropped
        };
        self.shared.delivered.running.store(0, Relaxed);
        counter.store(counter.load(Relaxed) + self.messages, Relaxed); // one writer
        mem::forget(self);
    }
}

impl<M> Drop for Running<'_, M> {
    fn drop(&mut self) {
        self.shared.delivered.running.store(0, Relaxed);
        self.shared.delivered.cancelled.fetch_add(self.messages, Relaxed);
    }
}

/// Polls the listener's future: to its end, its panic, or until the mailbox is discarded.
#[inline]
fn poll_listener<M, F: Future<Output = ()>>(
    inbox: &Inbox<M>,
    manner: &Manner,
    listener: Pin<&mut Option<F>>,
    context: &mut Context<'_>,
) -> Poll<Outcome> {
    let shared = &*inbox.shared;
    if shared.closing.load(Acquire) == DISCARDING {
        return Poll::Ready(Outcome::Cancelled);
    }
    let Some(running) = listener.as_pin_mut() else { return Poll::Ready(Outcome::Cancelled) };
    // So that a drain inside it notices where it is.
    shared.delivered.polled_by.store(thread::number(), Relaxed);
    let polled = catch_unwind(AssertUnwindSafe(|| running.poll(context)));
    shared.delivered.polled_by.store(0, Relaxed);
    match polled {
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
}

/// Runs the future of one call, made in place so that the message is moved as little as possible,
/// and accounts for its messages. Evaluates to its outcome.
macro_rules! run_listener {
    ($inbox:ident, $manner:ident, $messages:expr, $future:expr) => {{
        let running = Running::begin(&$inbox.shared, $messages);
        let mut place = pin!(Some($future));
        let outcome =
            poll_fn(|context| poll_listener(&$inbox, &$manner, place.as_mut(), context)).await;
        // Its destructor is user code, too.
        if let Err(payload) = boundary::contain(|| place.set(None)) {
            boundary::discard(payload);
        }
        running.end(&outcome);
        outcome
    }};
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

/// The next message: without a detour where one is there.
macro_rules! next_message {
    ($inbox:ident) => {
        match $inbox.take_fresh() {
            Some(message) => Some(message),
            None => poll_fn(|context| $inbox.poll_next(context)).await,
        }
    };
}

/// Delivers until the registration has ended and everything queued is delivered or discarded.
pub(crate) async fn deliver<M, L: AsyncFnMut(M)>(
    mut inbox: Inbox<M>,
    manner: Manner,
    mut listener: L,
) {
    let mut left = manner.budget;
    while let Some(message) = next_message!(inbox) {
        inbox.let_producers_in_if_slow();
        // In a block of its own, so that a panic while the future is made is caught too.
        let outcome = run_listener!(inbox, manner, 1, async { listener(message).await });
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
    let spare = Arc::new(Mutex::new(Vec::with_capacity(most.min(inbox.shared.capacity()))));
    let mut left = manner.budget as usize;
    while let Some(first) = next_message!(inbox) {
        let mut messages = mem::take(&mut *spare.lock().unwrap_or_else(PoisonError::into_inner));
        messages.push(first);
        while messages.len() < most {
            let Some(message) = inbox.take_fresh() else { break };
            messages.push(message);
        }
        let count = messages.len();
        let batch = Batch { messages, spare: Arc::clone(&spare) };
        inbox.let_producers_in_if_slow();
        let outcome = run_listener!(inbox, manner, count as u64, async { listener(batch).await });
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
        let mut messages = mem::take(&mut self.messages);
        messages.clear();
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = messages;
    }
}
