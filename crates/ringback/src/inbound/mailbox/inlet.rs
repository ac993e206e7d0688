// SPDX-License-Identifier: MIT OR Apache-2.0

//! The producers' end of a mailbox: the listener that stands in the slot.

use super::config::{KeyOf, Mailbox, OverflowPolicy, Take};
use super::inbox::Inbox;
use super::ring::Stamped;
use super::shared::{CONSUMER, PRODUCERS, Shared};
use crate::inbound::core::now;
use crate::inbound::signature::Signature;
use crate::sync::{AtomicU64, Ordering::*, fence};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How often a producer that waits looks for room that is there already, before it sleeps.
const LOOKS: u32 = 64;

/// How long a producer sleeps where a consumer was interrupted while it handed a message over.
const HANDED_OVER: Duration = Duration::from_micros(50);

/// `take` and the way into the queue. Not part of the API.
#[doc(hidden)]
pub struct Inlet<T, M, R> {
    pub(crate) take: T,
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) overflow: OverflowPolicy<R>,
    pub(crate) key_of: Option<KeyOf<M>>,
    pub(crate) stamps_time: bool,
}

impl<T, M, R> Drop for Inlet<T, M, R> {
    /// Runs when the slot is quiet: no push is under way.
    fn drop(&mut self) {
        self.shared.leave(PRODUCERS);
    }
}

/// Counts a call as declined unless it is answered otherwise: the taking function may panic.
struct Declined<'a>(&'a AtomicU64);

impl Drop for Declined<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Takes the arguments over and queues the message. On the foreign thread.
///
/// # Safety
/// `data` points at an `Inlet<T, M, S::Output>`, and the calling thread is inside its registration.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn inlet<S: Signature, T, M>(
    data: *const (),
    invoke: impl FnOnce(&T) -> Take<M, S::Output>,
) -> S::Output
where
    S::Output: Clone,
{
    // SAFETY: the caller's promise.
    unsafe { &*data.cast::<Inlet<T, M, S::Output>>() }.answer(invoke)
}

impl<T, M, R: Clone> Inlet<T, M, R> {
    /// Opens the mailbox: the end that is fed, and the one that is delivered from. `fallback` is the
    /// answer to what is rejected where the mailbox has no policy.
    pub(crate) fn open(
        mailbox: &Mailbox<M, R>,
        take: T,
        fallback: impl FnOnce() -> R,
    ) -> (Self, Inbox<M>) {
        let shared = mailbox.open();
        let inbox = Inbox::new(Arc::clone(&shared), mailbox.expire_after);
        let policy = mailbox.overflow.clone();
        let inlet = Inlet {
            take,
            shared,
            overflow: policy.unwrap_or_else(|| OverflowPolicy::Reject(fallback())),
            key_of: mailbox.key_of.clone(),
            stamps_time: mailbox.stamps_time(),
        };
        (inlet, inbox)
    }

    /// Lets `invoke` make a message of the caller's arguments, queues it, and answers the caller.
    #[inline(always)]
    pub fn answer(&self, invoke: impl FnOnce(&T) -> Take<M, R>) -> R {
        let declined = Declined(&self.shared.declined);
        match invoke(&self.take) {
            Take::Decline(answer) => answer,
            Take::Accept(message, answer) => {
                let key = self.key_of.as_ref().map_or(0, |key_of| key_of(&message));
                std::mem::forget(declined);
                self.accept(key, message, answer, None)
            }
        }
    }

    /// `until`, where given, ends the wait for room earlier than the policy does.
    #[inline]
    pub(crate) fn accept(&self, key: u64, message: M, answer: R, until: Option<Instant>) -> R {
        // Never 0, which means that nobody asks.
        let arrived = if self.stamps_time { now().max(1) } else { 0 };
        if self.is_closed() {
            return self.reject(answer);
        }
        match self.shared.push(key, Stamped { message, arrived }) {
            Ok(()) => answer,
            Err(value) => self.overflow(key, value, answer, until),
        }
    }

    fn is_closed(&self) -> bool {
        self.shared.closing.load(Acquire) != 0 || self.shared.is_gone(CONSUMER)
    }

    /// The answer to a message that is dropped.
    fn reject(&self, accepted: R) -> R {
        self.shared.rejected.fetch_add(1, Relaxed);
        match &self.overflow {
            OverflowPolicy::Reject(or) | OverflowPolicy::Block { or, .. } => or.clone(),
            OverflowPolicy::DropNewest | OverflowPolicy::DisplaceOldest => accepted,
        }
    }

    #[cold]
    fn overflow(&self, key: u64, value: Stamped<M>, answer: R, until: Option<Instant>) -> R {
        self.shared.delivered.high_water.fetch_max(self.shared.depth(), Relaxed);
        let queued = match self.overflow {
            OverflowPolicy::Reject(_) | OverflowPolicy::DropNewest => false,
            OverflowPolicy::DisplaceOldest => self.shared.displace(key, value),
            OverflowPolicy::Block { at_most, .. } => {
                let deadline = Instant::now().checked_add(at_most);
                // `None` is never.
                let earlier = deadline.into_iter().chain(until).min();
                self.wait_for_room(key, value, earlier)
            }
        };
        if queued { answer } else { self.reject(answer) }
    }

    fn wait_for_room(&self, key: u64, mut value: Stamped<M>, deadline: Option<Instant>) -> bool {
        let shared = &*self.shared;
        shared.blocked.fetch_add(1, SeqCst);
        fence(SeqCst); // against the consumer's, in `let_producers_in`
        let mut looks = 0;
        let queued = loop {
            if self.is_closed() {
                break false;
            }
            // With the gate open, since a push wakes the consumer, which is user code.
            match shared.push(key, value) {
                Ok(()) => break true,
                Err(back) => value = back,
            }
            let left =
                deadline.map_or(Duration::MAX, |d| d.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break false;
            }
            let mut gate = shared.gate();
            // Who makes room from here on finds us waiting: it passes the gate before it notifies.
            if shared.is_full() && !self.is_closed() {
                *gate = true;
                drop(shared.room.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner));
            } else {
                // There is room: made just now, or by a message that is still being handed over. Where that takes
                // long, its consumer was interrupted, and may wait for this very core.
                drop(gate);
                looks += 1;
                if looks > LOOKS {
                    std::thread::sleep(left.min(HANDED_OVER));
                }
            }
        };
        shared.blocked.fetch_sub(1, SeqCst);
        queued
    }
}
