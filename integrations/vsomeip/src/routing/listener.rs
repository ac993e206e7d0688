// SPDX-License-Identifier: MIT OR Apache-2.0

//! One registered listener: a gate and a mailbox.
//!
//! The dispatcher of vsomeip holds the mailbox's feeding end and never the listener. That one is
//! owned by the delivery, a task of a lane: it is called there, one message at a time, and
//! dropped there.

use super::Filter;
use crate::vsomeip::gate::{Gate, report};
use futures_lite::FutureExt;
use ringback::{Counts, Feed, Mailbox, OverflowPolicy};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use up_rust::{UListener, UMessage};

/// What becomes of a message that finds a listener's mailbox full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// It is dropped and counted as rejected.
    DropNewest,
    /// The oldest queued message is dropped in its favour, and counted as displaced.
    DropOldest,
    /// vsomeip's dispatcher waits for room, at most so long for one message, however many listeners
    /// want it; then as `DropNewest`. All listeners of the transport wait with it. Capped at half of
    /// vsomeip's `max_dispatch_time`, since a handler that takes longer makes vsomeip start a second
    /// dispatcher, and order is gone.
    Block(Duration),
}

/// A listener as the table holds it.
pub(crate) struct Entry {
    pub(crate) filter: Filter,
    pub(crate) gate: Arc<Gate>,
    /// Who the listener is; no two that live have the same.
    identity: usize,
    feed: Feed<UMessage, bool>,
    skipped: Arc<AtomicU64>,
}

/// Says that the listener is gone, after everything that was declared before it.
struct Finish(Arc<Gate>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// What the delivery owns. Its clones live in the delivery's calls, so the last one dies there.
struct Called {
    listener: Arc<dyn UListener>,
    gate: Arc<Gate>,
    skipped: Arc<AtomicU64>,
    /// Of all listeners of the transport.
    panicked: Arc<AtomicU64>,
}

/// Counts a panic that passes by; the mailbox contains it.
struct CountPanic<'a>(&'a AtomicU64);

impl Drop for CountPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fetch_add(1, Relaxed);
        }
    }
}

impl Called {
    async fn call(self: Arc<Self>, message: UMessage) {
        let _count = CountPanic(&self.panicked);
        if !self.gate.enter_async(|| self.listener.on_receive(message)).await {
            self.skipped.fetch_add(1, Relaxed);
        }
    }
}

fn identity(listener: &Arc<dyn UListener>) -> usize {
    Arc::as_ptr(listener).cast::<()>() as usize
}

impl Entry {
    /// The entry, and the task that delivers.
    pub(crate) fn new(
        filter: Filter,
        listener: Arc<dyn UListener>,
        capacity: usize,
        overflow: Overflow,
        panicked: Arc<AtomicU64>,
    ) -> (Arc<Entry>, impl Future<Output = ()> + Send + 'static) {
        let gate = Arc::new(Gate::default());
        let skipped = Arc::new(AtomicU64::new(0));
        let policy = match overflow {
            Overflow::DropNewest => OverflowPolicy::Reject(false),
            Overflow::DropOldest => OverflowPolicy::DisplaceOldest,
            Overflow::Block(at_most) => OverflowPolicy::Block { at_most, or: false },
        };
        let identity = identity(&listener);
        let called =
            Arc::new(Called { listener, gate: gate.clone(), skipped: skipped.clone(), panicked });
        let call = move |message| Arc::clone(&called).call(message);
        let (feed, deliver) = Mailbox::bounded(capacity).overflow(policy).feed(
            "a uProtocol listener",
            false,
            async move |message| call(message).await,
        );
        let finish = Finish(Arc::clone(&gate));
        let task = async move {
            let _finish = finish; // dropped after the delivery, which owns the listener
            // A panic of the listener's destructor must not end the lane.
            if let Err(panic) = AssertUnwindSafe(deliver).catch_unwind().await {
                report("dropping a listener", panic);
            }
        };
        (Arc::new(Entry { filter, gate, identity, feed, skipped }), task)
    }

    pub(crate) fn is(&self, listener: &Arc<dyn UListener>) -> bool {
        self.identity == identity(listener)
    }

    pub(crate) fn is_same_listener(&self, other: &Entry) -> bool {
        self.identity == other.identity
    }

    /// Queues a message; waits for room until then, where the policy waits. On vsomeip's dispatcher.
    pub(crate) fn push(&self, message: UMessage, until: Option<Instant>) -> bool {
        let pushed = match until {
            Some(until) => self.feed.push_until(message, true, until),
            None => self.feed.push(message, true),
        };
        // Where the oldest goes, a mailbox says yes to all, also when it has closed.
        pushed && !self.gate.is_closed()
    }

    /// Closes the gate and the mailbox: no call begins any more, what is queued is skipped.
    pub(crate) fn close(&self) {
        self.gate.close();
        self.feed.close();
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.feed.counts();
        // They went through the mailbox, but not through the gate.
        let skipped = self.skipped.load(Relaxed).min(counts.completed);
        counts.completed -= skipped;
        counts.discarded += skipped;
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use up_rust::UUri;

    struct Deaf;
    #[async_trait::async_trait]
    impl UListener for Deaf {
        async fn on_receive(&self, _: UMessage) {}
    }

    #[test]
    fn a_mailbox_that_has_closed_takes_nothing_whatever_its_policy() {
        let block = Overflow::Block(std::time::Duration::ZERO);
        for overflow in [Overflow::DropNewest, Overflow::DropOldest, block] {
            let filter = Filter::new(&UUri::any(), None);
            let (entry, _task) = Entry::new(filter, Arc::new(Deaf), 4, overflow, Arc::default());
            assert!(entry.push(UMessage::default(), None), "{overflow:?}");
            entry.close();
            assert!(!entry.push(UMessage::default(), None), "{overflow:?}");
        }
    }
}
