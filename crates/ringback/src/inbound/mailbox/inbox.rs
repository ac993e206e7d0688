// SPDX-License-Identifier: MIT OR Apache-2.0

//! The consumer's end of a mailbox.

use super::ring::Stamped;
use super::shared::{CONSUMER, DISCARDING, PRODUCERS, Shared, drop_message};
use crate::sync::{Ordering::*, fence, register};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The consumer's end: one, and not shared. Dropping it turns later calls into rejections.
pub(crate) struct Inbox<M> {
    pub(crate) shared: Arc<Shared<M>>,
    /// Nanoseconds after which a queued message is worthless; 0: never.
    pub(crate) expire_after: u64,
    taken: usize,
    /// How many were when the queue was found empty last.
    taken_before: usize,
    /// When producers were let in between messages last.
    #[cfg(not(ringback_loom))]
    let_in_at: u64,
}

/// How many messages in a row tell that more are coming.
const ROW: usize = 16;
/// How long the consumer then waits for them before it parks. To be woken takes longer, of the foreign
/// thread's time, too; and what comes meanwhile is read off cache lines that the producer has left.
#[cfg(not(ringback_loom))]
const LINGER: std::time::Duration = std::time::Duration::from_micros(3);

/// How seldom producers are let in between messages, in nanoseconds: waking them takes a part of that.
#[cfg(not(ringback_loom))]
const SLOW: u64 = 100_000;

impl<M> Inbox<M> {
    pub(crate) fn new(shared: Arc<Shared<M>>, expire_after: u64) -> Self {
        Inbox {
            shared,
            expire_after,
            taken: 0,
            taken_before: 0,
            #[cfg(not(ringback_loom))]
            let_in_at: 0,
        }
    }

    /// The next message that is worth delivering; `None` when there will be none.
    pub(crate) fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<M>> {
        if let Some(message) = self.take_fresh() {
            return Poll::Ready(Some(message));
        }
        self.let_producers_in();
        let before = self.taken;
        if let Some(message) = self.linger() {
            return Poll::Ready(Some(message));
        }
        let shared = &*self.shared;
        register(&shared.consumer, context.waker());
        shared.parked.store(true, Release); // so that who sees it finds the waker
        fence(SeqCst); // against the producer's, in `Ring::push`
        // What came before `parked` was set woke nobody. Asked first, so that a push which the
        // last producer made before it went is found by the second look.
        let closed = shared.is_gone(PRODUCERS);
        let found = self.take_fresh();
        if found.is_none() && self.taken != before {
            // What was there had waited too long: its room is for producers who wait since.
            self.let_producers_in();
        }
        match found {
            Some(message) => {
                self.shared.parked.store(false, SeqCst);
                Poll::Ready(Some(message))
            }
            None if closed => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// After a row of messages: the next one, if it comes soon.
    fn linger(&mut self) -> Option<M> {
        let row = self.taken.wrapping_sub(self.taken_before);
        self.taken_before = self.taken;
        if row < ROW {
            return None;
        }
        #[cfg(not(ringback_loom))]
        {
            let begin = std::time::Instant::now();
            while begin.elapsed() < LINGER {
                std::hint::spin_loop();
            }
        }
        self.take_fresh()
    }

    /// The next message, if one is there.
    #[inline]
    pub(crate) fn take_fresh(&mut self) -> Option<M> {
        loop {
            if self.shared.closing.load(Acquire) == DISCARDING {
                self.shared.discard_queued();
                return None;
            }
            // The deepest point lies before a take; the producers' end is looked at only sometimes,
            // since every look costs them the cache line.
            if self.taken.is_multiple_of(64) {
                self.shared.delivered.high_water.fetch_max(self.shared.depth(), Relaxed);
            }
            let value = self.shared.pop()?;
            self.taken = self.taken.wrapping_add(1);
            if self.is_fresh(&value) {
                return Some(value.message);
            }
            self.shared.delivered.expired.fetch_add(1, Relaxed);
            drop_message(value);
        }
    }

    #[inline]
    fn is_fresh(&self, value: &Stamped<M>) -> bool {
        #[cfg(not(ringback_loom))]
        let fresh = value.arrived == 0 || {
            let waited = crate::inbound::core::now().saturating_sub(value.arrived);
            #[cfg(feature = "histogram")]
            if let Some(wait_times) = &self.shared.wait_times {
                wait_times.record(waited);
            }
            self.expire_after == 0 || waited <= self.expire_after
        };
        #[cfg(ringback_loom)]
        let fresh = value.arrived == 0;
        fresh
    }

    /// Wakes producers that wait for room: before this end waits for anything itself.
    pub(crate) fn let_producers_in(&self) {
        #[cfg(not(ringback_loom))]
        {
            // Against the producer's count and its last try: it sees the room, or this its count.
            fence(SeqCst);
            if self.shared.blocked.load(SeqCst) != 0 {
                self.shared.wake_producers();
            }
        }
    }

    /// The same before a listener runs, which may keep this thread for long: if the ones before it did. A
    /// producer that begins to wait at this very moment is found the next time.
    pub(crate) fn let_producers_in_if_slow(&mut self) {
        #[cfg(not(ringback_loom))]
        if self.shared.blocked.load(Relaxed) != 0 {
            let now = crate::inbound::core::now();
            if now.saturating_sub(self.let_in_at) > SLOW {
                self.let_in_at = now;
                self.let_producers_in();
            }
        }
    }

    /// The same in the middle of delivering: only once half of the mailbox is free, so that a
    /// producer that is woken finds room for more than a few messages.
    pub(crate) fn let_producers_in_at_half(&self) {
        if self.shared.is_half_empty() {
            self.let_producers_in();
        }
    }
}

impl<M> Drop for Inbox<M> {
    fn drop(&mut self) {
        // Not after leaving: the counts may then be settled by the other end. What is pushed in
        // between stays until that end goes.
        self.shared.discard_queued();
        self.shared.leave(CONSUMER);
        self.let_producers_in();
    }
}

/// The messages of one registration, to be pulled: by [`next`](Self::next), or as a `Stream` with
/// the feature `stream`.
///
/// A message counts as completed when it is handed out. Dropping this turns later calls into
/// rejections, and discards what is queued.
pub struct Messages<M>(pub(crate) Inbox<M>);

impl<M> Messages<M> {
    /// The next message, in order; `None` once the registration has ended and all are delivered.
    pub async fn next(&mut self) -> Option<M> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next message if one is there, without waiting.
    pub fn try_next(&mut self) -> Option<M> {
        let Some(message) = self.0.take_fresh() else {
            self.0.let_producers_in(); // nobody else may do so for long
            return None;
        };
        self.0.let_producers_in_if_slow();
        self.0.shared.delivered.completed.fetch_add(1, Relaxed);
        Some(message)
    }

    /// As [`next`](Self::next), for those who write futures by hand.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<M>> {
        let next = self.0.poll_next(context);
        if let Poll::Ready(Some(_)) = next {
            self.0.let_producers_in_if_slow();
            self.0.shared.delivered.completed.fetch_add(1, Relaxed);
        }
        next
    }
}

#[cfg(feature = "stream")]
impl<M> futures_core::Stream for Messages<M> {
    type Item = M;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<M>> {
        Messages::poll_next(&mut self, context)
    }
}

impl<M> Unpin for Messages<M> {}

impl<M> std::fmt::Debug for Messages<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("queued", &self.0.shared.depth()).finish()
    }
}
