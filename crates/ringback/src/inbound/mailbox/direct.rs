// SPDX-License-Identifier: MIT OR Apache-2.0

//! A mailbox by itself, without a pool in front of it.

use super::config::Mailbox;
use super::deliver::{Manner, deliver};
use super::inlet::Inlet;
use super::shared::DRAINING;
use super::stats::Counts;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

/// The producers' end of a mailbox that has no pool in front of it: for code that is called with
/// user data and so needs no thunk, but wants order, bounds and exact counts all the same.
///
/// Clones feed the same mailbox. Once the last one is dropped and what is queued is delivered, the
/// delivery ends and the listener is dropped where it was polled: never by the feeding thread.
pub struct Feed<M, R>(Arc<Inlet<(), M, R>>);

impl<M, R: Clone> Feed<M, R> {
    /// Queues a message and answers `accepted`, or what the overflow policy says. On any thread; it
    /// waits only where the policy is [`OverflowPolicy::Block`](crate::OverflowPolicy::Block).
    #[inline]
    pub fn push(&self, message: M, accepted: R) -> R {
        let key = self.0.key_of.as_ref().map_or(0, |key_of| key_of(&message));
        self.0.accept(key, message, accepted, None)
    }

    /// As [`push`](Self::push), but where the policy is
    /// [`OverflowPolicy::Block`](crate::OverflowPolicy::Block) it waits no longer than until then: for
    /// a caller that feeds several mailboxes and has one limit for all of them.
    #[inline]
    pub fn push_until(&self, message: M, accepted: R, until: Instant) -> R {
        let key = self.0.key_of.as_ref().map_or(0, |key_of| key_of(&message));
        self.0.accept(key, message, accepted, Some(until))
    }

    /// From here on pushes are rejected, and those that wait for room give up. What is queued is
    /// still delivered.
    pub fn close(&self) {
        self.0.shared.close(DRAINING);
    }

    /// What became of the messages so far.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.0.shared)
    }
}

impl<M, R> Clone for Feed<M, R> {
    fn clone(&self) -> Self {
        Feed(Arc::clone(&self.0))
    }
}

impl<M, R> fmt::Debug for Feed<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("counts", &Counts::of(&self.0.shared)).finish()
    }
}

impl<M, R: Clone> Mailbox<M, R> {
    /// Opens the mailbox without a pool: the end to feed, and the future that delivers.
    ///
    /// `full` is the answer to a message that finds the mailbox full, where no overflow policy was
    /// chosen. `name` appears in reports of panics.
    ///
    /// ```
    /// use ringback::Mailbox;
    /// # futures_executor::block_on(async {
    /// let mut sum = 0;
    /// let (feed, deliver) =
    ///     Mailbox::bounded(2).feed("example", false, async |value: u64| sum += value);
    /// assert_eq!([feed.push(3, true), feed.push(4, true), feed.push(5, true)], [true, true, false]);
    /// drop(feed);
    /// deliver.await;
    /// assert_eq!(sum, 7);
    /// # });
    /// ```
    pub fn feed<L>(
        self,
        name: &'static str,
        full: R,
        listener: L,
    ) -> (Feed<M, R>, impl Future<Output = ()> + use<M, R, L>)
    where
        L: AsyncFnMut(M),
    {
        let (inlet, inbox) = Inlet::open(&self, (), || full);
        let manner = Manner::of(&self, name, 0);
        (Feed(Arc::new(inlet)), deliver(inbox, manner, listener))
    }
}
