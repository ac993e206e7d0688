// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a mailbox is set up.

use super::keyed::Keyed;
use super::ring::Ring;
use super::shared::{Queue, Shared};
use crate::sync::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the foreign thread makes of its call: the borrowed arguments become an owned message, or
/// the call is turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take<M, R> {
    /// Queue the message, and give the answer to the foreign caller if it is queued.
    Accept(M, R),
    /// Queue nothing, and answer this.
    Decline(R),
}

/// What becomes of a message that finds the mailbox full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverflowPolicy<R> {
    /// The message is dropped and the foreign caller told so by this answer. Counted as rejected.
    Reject(R),
    /// The message is dropped, but the caller gets the answer of acceptance. Counted as rejected.
    DropNewest,
    /// The oldest queued message is dropped in its favour. Counted as displaced. Where the oldest is
    /// being handed over at that very moment, the new one is dropped, instead or as well, and counted as
    /// rejected.
    DisplaceOldest,
    /// The foreign thread waits for room, at most so long; then as `Reject(or)`. Nobody else in
    /// ringback ever blocks it. An executor that runs on that same thread cannot make room.
    Block {
        /// The longest that the foreign thread may wait.
        at_most: Duration,
        /// The answer when there was no room until then.
        or: R,
    },
}

/// Computes a message's key.
pub(crate) type KeyOf<M> = Arc<dyn Fn(&M) -> u64 + Send + Sync>;

/// The queue of one async listener: how long it may get, and what happens then.
///
/// ```
/// # use ringback::{Mailbox, OverflowPolicy};
/// # use std::time::Duration;
/// let commands = Mailbox::<[u8; 8], i32>::bounded(1024).overflow(OverflowPolicy::Reject(-1));
/// let positions = Mailbox::<[u8; 8], i32>::bounded(64)
///     .overflow(OverflowPolicy::DisplaceOldest)
///     .expire_after(Duration::from_millis(100));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Mailbox<M, R> {
    capacity: usize,
    pub(crate) overflow: Option<OverflowPolicy<R>>,
    pub(crate) expire_after: u64,
    pub(crate) key_of: Option<KeyOf<M>>,
    preallocated: bool,
    #[cfg(feature = "histogram")]
    pub(crate) measure_wait: bool,
    pub(crate) budget: u32,
    pub(crate) end_on_panic: bool,
}

impl<M, R> Mailbox<M, R> {
    /// At most so many messages are queued; 0 is taken as 1.
    ///
    /// Without an [`overflow`](Self::overflow) policy, a full mailbox answers the pool's fallback.
    pub fn bounded(capacity: usize) -> Self {
        Mailbox {
            capacity: capacity.max(1),
            overflow: None,
            expire_after: 0,
            key_of: None,
            preallocated: false,
            #[cfg(feature = "histogram")]
            measure_wait: false,
            budget: 128,
            end_on_panic: false,
        }
    }

    /// What becomes of a message that finds the mailbox full.
    pub fn overflow(mut self, policy: OverflowPolicy<R>) -> Self {
        self.overflow = Some(policy);
        self
    }

    /// Messages that have been queued for longer are dropped instead of delivered, and counted as
    /// expired. Costs a look at the clock per message on either side.
    pub fn expire_after(mut self, age: Duration) -> Self {
        self.expire_after = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX).max(1);
        self
    }

    /// Measures how long messages wait, for [`wait_times`](crate::AsyncRegistration::wait_times).
    /// Costs a look at the clock per message on either side, and some 30 KiB.
    #[cfg(feature = "histogram")]
    pub fn measure_wait(mut self) -> Self {
        self.measure_wait = true;
        self
    }

    /// Whether messages carry the time of their arrival.
    pub(crate) fn stamps_time(&self) -> bool {
        #[cfg(feature = "histogram")]
        if self.measure_wait {
            return true;
        }
        self.expire_after != 0
    }

    /// A message takes the place of a queued one with the same key, which is dropped and counted as
    /// coalesced. The overflow policy applies where none has it.
    ///
    /// The key is computed on the foreign thread before anything is locked; such a mailbox then
    /// takes a short lock per message, the others take none. At worst, once in a while, a new key
    /// holds it for as long as it takes to look at every place of the map of keys, at most five times the
    /// capacity: the map tidies itself.
    pub fn coalesce_by(mut self, key: impl Fn(&M) -> u64 + Send + Sync + 'static) -> Self {
        self.key_of = Some(Arc::new(key));
        self
    }

    /// Takes all memory at once, so that no call allocates; else the queue grows by 32 messages at a
    /// time as it is first filled (one that [coalesces](Self::coalesce_by) doubles, and so may its map of
    /// keys at any time), and keeps what it has.
    pub fn preallocated(mut self) -> Self {
        self.preallocated = true;
        self
    }

    /// How many messages are delivered in a row before other tasks of the executor get their turn;
    /// 128 unless told, 0 is taken as 1.
    pub fn budget(mut self, messages: u32) -> Self {
        self.budget = messages.max(1);
        self
    }

    /// A panic in the listener ends the mailbox: what is queued is discarded, later calls are
    /// rejected. Without this it ends that message only.
    pub fn end_on_panic(mut self) -> Self {
        self.end_on_panic = true;
        self
    }

    pub(crate) fn open(&self) -> Arc<Shared<M>> {
        // The producer that displaces takes the oldest message out, beside the consumer.
        let displaces = matches!(self.overflow, Some(OverflowPolicy::DisplaceOldest));
        let queue = match self.key_of {
            Some(_) => Queue::Keyed(Mutex::new(Keyed::new(self.capacity, self.preallocated))),
            None => Queue::Ring(Ring::new(self.capacity, self.preallocated, !displaces)),
        };
        #[cfg_attr(not(feature = "histogram"), allow(unused_mut))]
        let mut shared = Shared::new(queue);
        #[cfg(feature = "histogram")]
        if self.measure_wait {
            shared.wait_times = super::wait_times::Recorder::new();
        }
        Arc::new(shared)
    }
}

impl<M, R: fmt::Debug> fmt::Debug for Mailbox<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("capacity", &self.capacity)
            .field("overflow", &self.overflow)
            .field("expire_after", &Duration::from_nanos(self.expire_after))
            .field("coalesces", &self.key_of.is_some())
            .field("preallocated", &self.preallocated)
            .finish_non_exhaustive()
    }
}
