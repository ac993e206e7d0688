// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the two ends of a mailbox share.

use super::keyed::{Keyed, Pushed};
use super::ring::{Ring, Stamped};
use crate::boundary;
use crate::sync::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, AtomicWaker, Mutex, Ordering::*,
    total_order,
};
use std::sync::PoisonError;

/// `Shared::gone`: the inlet is dropped; nothing is pushed any more.
pub(crate) const PRODUCERS: u8 = 1;
/// `Shared::gone`: the inbox is dropped; nothing is taken any more.
pub(crate) const CONSUMER: u8 = 2;

/// `Shared::gone`: both are, and what was left is discarded: the counts are final.
pub(crate) const SETTLED: u8 = 4;

/// `Shared::closing`: what is queued is still delivered; blocked producers give up.
pub(crate) const DRAINING: u8 = 1;
/// `Shared::closing`: what is queued is discarded, and the running listener cancelled.
pub(crate) const DISCARDING: u8 = 2;

pub(crate) enum Queue<M> {
    Ring(Ring<M>),
    Keyed(Mutex<Keyed<M>>),
}

pub(crate) struct Shared<M> {
    pub(crate) queue: Queue<M>,
    pub(crate) gone: AtomicU8,
    pub(crate) closing: AtomicU8,
    /// The consumer sleeps until somebody wakes it.
    pub(crate) parked: AtomicBool,
    pub(crate) consumer: AtomicWaker,
    /// Who waits for the consumer's end.
    pub(crate) ended: AtomicWaker,
    /// Producers that wait for room.
    pub(crate) blocked: AtomicU32,
    /// Whether one of them has gone to sleep since sleepers were woken last.
    #[cfg(not(ringback_loom))]
    asleep: std::sync::Mutex<bool>,
    #[cfg(not(ringback_loom))]
    pub(crate) room: std::sync::Condvar,
    /// Present where the mailbox measures how long messages wait.
    #[cfg(all(feature = "histogram", not(ringback_loom)))]
    pub(crate) wait_times: Option<super::wait_times::Recorder>,
    // Written by producers, rarely.
    pub(crate) declined: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) displaced: AtomicU64,
    pub(crate) coalesced: AtomicU64,
    pub(crate) delivered: Delivered,
}

/// What the consumer, or the last one to go, writes at every message: on cache lines of its own,
/// since producers read the other fields at every message.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Delivered {
    /// The thread that is polling the listener at this moment; 0: none.
    pub(crate) polled_by: AtomicU64,
    pub(crate) running: AtomicU64,
    pub(crate) completed: AtomicU64,
    pub(crate) panicked: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) discarded: AtomicU64,
    pub(crate) high_water: AtomicUsize,
}

/// How often a displacing producer looks again for room that is being made at this moment.
const DISPLACE_TRIES: u32 = if cfg!(ringback_loom) { 3 } else { 64 };

/// Drops a message that is not delivered; its destructor is user code and may panic.
pub(crate) fn drop_message<M>(value: Stamped<M>) {
    if let Err(payload) = boundary::contain(move || drop(value)) {
        boundary::discard(payload);
    }
}

/// Wakes a task; its waker is user code and may panic.
pub(crate) fn wake(waker: &AtomicWaker) {
    if let Err(payload) = boundary::contain(|| waker.wake()) {
        boundary::discard(payload);
    }
}

impl<M> Shared<M> {
    pub(crate) fn new(queue: Queue<M>) -> Self {
        Shared {
            queue,
            gone: AtomicU8::new(0),
            closing: AtomicU8::new(0),
            parked: AtomicBool::new(false),
            consumer: AtomicWaker::new(),
            ended: AtomicWaker::new(),
            blocked: AtomicU32::new(0),
            #[cfg(not(ringback_loom))]
            asleep: Default::default(),
            #[cfg(not(ringback_loom))]
            room: Default::default(),
            #[cfg(all(feature = "histogram", not(ringback_loom)))]
            wait_times: None,
            declined: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
            coalesced: AtomicU64::new(0),
            delivered: Delivered::default(),
        }
    }

    /// Queues a message under `key` (0 where the mailbox does not coalesce), or gives it back.
    #[inline]
    pub(crate) fn push(&self, key: u64, value: Stamped<M>) -> Result<(), Stamped<M>> {
        match &self.queue {
            Queue::Ring(ring) => ring.push(value)?,
            Queue::Keyed(keyed) => {
                let pushed = keyed.lock().unwrap_or_else(PoisonError::into_inner).push(key, value);
                total_order();
                match pushed {
                    Pushed::Queued => {}
                    Pushed::InPlaceOf(old) => {
                        self.coalesced.fetch_add(1, Relaxed);
                        drop_message(old);
                    }
                    Pushed::Full(value) => return Err(value),
                }
            }
        }
        if self.parked.load(SeqCst) {
            self.wake_consumer();
        }
        Ok(())
    }

    pub(crate) fn wake_consumer(&self) {
        if self.parked.swap(false, SeqCst) {
            wake(&self.consumer);
        }
    }

    /// Takes the oldest message.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Stamped<M>> {
        match &self.queue {
            Queue::Ring(ring) => ring.pop(),
            Queue::Keyed(keyed) => {
                let popped = keyed.lock().unwrap_or_else(PoisonError::into_inner).pop();
                total_order();
                popped
            }
        }
    }

    /// Queues a message in place of the oldest, if there is no room. False where it was dropped itself.
    pub(crate) fn displace(&self, key: u64, mut value: Stamped<M>) -> bool {
        for _ in 0..DISPLACE_TRIES {
            // Where one is being handed over there is room already, but not yet in the place that this one
            // needs: no other is to go for that.
            if self.is_full()
                && let Some(oldest) = self.pop()
            {
                self.displaced.fetch_add(1, Relaxed);
                drop_message(oldest);
            }
            match self.push(key, value) {
                Ok(()) => return true,
                Err(back) => value = back,
            }
            crate::sync::spin_loop();
        }
        drop_message(value);
        false
    }

    /// Messages queued so far, and messages taken out of the queue so far.
    pub(crate) fn passed(&self) -> (u64, u64) {
        match &self.queue {
            Queue::Ring(ring) => {
                let popped = ring.popped(); // first, so that the depth is never negative
                (ring.pushed() as u64, popped as u64)
            }
            Queue::Keyed(keyed) => {
                let keyed = keyed.lock().unwrap_or_else(PoisonError::into_inner);
                let coalesced = keyed.pushed - keyed.popped - keyed.len() as u64;
                (keyed.pushed, keyed.popped + coalesced)
            }
        }
    }

    pub(crate) fn depth(&self) -> usize {
        let (pushed, popped) = self.passed();
        pushed.wrapping_sub(popped) as usize
    }

    pub(crate) fn capacity(&self) -> usize {
        match &self.queue {
            Queue::Ring(ring) => ring.capacity(),
            Queue::Keyed(keyed) => keyed.lock().unwrap_or_else(PoisonError::into_inner).capacity(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.depth() >= self.capacity()
    }

    pub(crate) fn is_half_empty(&self) -> bool {
        self.depth() <= self.capacity() / 2
    }

    pub(crate) fn is_gone(&self, end: u8) -> bool {
        self.gone.load(SeqCst) & end != 0
    }

    /// One end is dropped; the second one discards what is left, and settles the counts.
    pub(crate) fn leave(&self, end: u8) {
        let before = self.gone.fetch_or(end, AcqRel);
        if before != 0 {
            self.discard_queued();
            self.gone.fetch_or(SETTLED, AcqRel);
            wake(&self.ended);
        }
        if end == PRODUCERS {
            self.parked.store(false, SeqCst);
            wake(&self.consumer);
        }
    }

    /// Begins the end: wakes the consumer, and producers that wait for room.
    #[cfg(not(ringback_loom))]
    pub(crate) fn close(&self, how: u8) {
        self.closing.fetch_max(how, SeqCst);
        self.parked.store(false, SeqCst);
        wake(&self.consumer);
        self.wake_producers();
    }

    /// What a producer passes before it goes to sleep, and who wakes it before it does.
    #[cfg(not(ringback_loom))]
    pub(crate) fn gate(&self) -> std::sync::MutexGuard<'_, bool> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the producers that sleep until there is room: a system call, if there are any.
    #[cfg(not(ringback_loom))]
    pub(crate) fn wake_producers(&self) {
        // Under the gate, so that a producer between its look and its sleep is not missed.
        let asleep = std::mem::take(&mut *self.gate());
        if asleep {
            self.room.notify_all();
        }
    }

    /// Drops what is queued, and counts it.
    pub(crate) fn discard_queued(&self) {
        while let Some(value) = self.pop() {
            self.delivered.discarded.fetch_add(1, Relaxed);
            drop_message(value);
        }
    }
}
