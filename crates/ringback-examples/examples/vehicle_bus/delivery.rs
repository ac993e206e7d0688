// SPDX-License-Identifier: MIT OR Apache-2.0

//! The async side: what is queued for a listener, who runs it, and what became of every message.

use crate::bus::{self, Key, Message};
use crate::latency::{Latency, Percentiles};
use crate::listeners::{Failure, Subscription};
use crate::order::{Order, Stamp};
use ringback::{Counts, Drain, Mailbox, OverflowPolicy, Quiet, Signature, Take};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// So many messages wait for one listener, at most.
const CAPACITY: usize = 64;

/// So long a dispatcher of the bus waits for room in a full mailbox before the message is rejected.
const PATIENCE: Duration = Duration::from_secs(1);

/// Every so manieth message has its listener await something.
const AWAITS: u64 = 8;

/// A message of the bus, copied: the bus's own lives no longer than the call of the C function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owned {
    pub(crate) key: Key,
    pub(crate) sequence: u64,
    /// When it was sent.
    sent: u64,
    /// When the C function was called.
    taken: u64,
    stamp: Stamp,
}

/// Copies a message, on the bus's thread.
pub(crate) fn take(message: &Message) -> Take<Owned, ()> {
    let Message { key, sequence, sent } = *message;
    Take::Accept(Owned { key, sequence, sent, taken: bus::now(), stamp: Stamp::next() }, ())
}

/// Runs async listeners.
pub(crate) struct Delivery {
    runtime: Runtime,
    clocks: Arc<Clocks>,
    accounts: Mutex<Accounts>,
}

struct Clocks {
    since_sent: Latency,
    since_taken: Latency,
}

/// What became of the messages of all async listeners that have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Accounts {
    /// Calls that the listeners' C functions passed to a mailbox.
    pub(crate) sent: u64,
    /// .. which had no room in time, or was closing.
    pub(crate) rejected: u64,
    /// Messages whose listener ran to its end.
    pub(crate) completed: u64,
    /// Messages dropped with their mailbox, or whose listener was dropped before its end.
    pub(crate) discarded: u64,
    /// Listeners whose own counts do not explain every message.
    pub(crate) unbalanced: u64,
}

impl Accounts {
    fn add(&mut self, counts: &Counts) {
        self.sent += counts.sent();
        self.rejected += counts.rejected;
        self.completed += counts.completed;
        self.discarded += counts.discarded + counts.cancelled;
        self.unbalanced += u64::from(counts.unaccounted() != 0);
    }
}

/// Durations from two moments to the end of the listener.
pub(crate) struct Latencies {
    pub(crate) since_sent: Percentiles,
    pub(crate) since_taken: Percentiles,
}

impl Delivery {
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Delivery {
            runtime: tokio::runtime::Builder::new_multi_thread().build()?,
            clocks: Arc::new(Clocks { since_sent: Latency::new(), since_taken: Latency::new() }),
            accounts: Mutex::default(),
        })
    }

    /// The mailbox that every listener gets: a full one slows the bus down.
    pub(crate) fn mailbox() -> Mailbox<Owned, ()> {
        let policy = OverflowPolicy::Block { at_most: PATIENCE, or: () };
        Mailbox::bounded(CAPACITY).overflow(policy)
    }

    pub(crate) fn listener(&self, subscription: Subscription) -> Listening {
        let clocks = Arc::clone(&self.clocks);
        Listening { subscription, clocks, order: Order::default(), handled: 0 }
    }

    /// Has tokio run a listener.
    pub(crate) fn spawn(&self, deliver: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(deliver);
    }

    /// Waits for the end of listeners, and adds their accounts to the others.
    pub(crate) fn finish<S: Signature>(
        &self,
        drains: Vec<Drain<S, Owned>>,
    ) -> Result<Vec<Quiet<S>>, Failure> {
        let mut proofs = Vec::with_capacity(drains.len());
        for drain in drains {
            let drained = self.runtime.block_on(drain)?;
            self.accounts.lock().unwrap_or_else(PoisonError::into_inner).add(&drained.counts);
            proofs.push(drained.quiet);
        }
        Ok(proofs)
    }

    pub(crate) fn accounts(&self) -> Accounts {
        *self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn latencies(&self) -> Latencies {
        let Clocks { since_sent, since_taken } = &*self.clocks;
        Latencies { since_sent: since_sent.percentiles(), since_taken: since_taken.percentiles() }
    }
}

/// An async listener at work: its state is its own, since it runs one message at a time.
pub(crate) struct Listening {
    subscription: Subscription,
    clocks: Arc<Clocks>,
    order: Order,
    handled: u64,
}

impl Listening {
    /// Handles one message.
    pub(crate) async fn handle(&mut self, message: Owned) {
        self.handled += 1;
        if self.handled.is_multiple_of(AWAITS) {
            tokio::task::yield_now().await; // as one that asks somebody; the next one must not overtake
        }
        let Owned { key, sequence, sent, taken, stamp } = message;
        let now = bus::now();
        let shard = usize::from(key.method);
        self.clocks.since_sent.note(shard, now.saturating_sub(sent));
        self.clocks.since_taken.note(shard, now.saturating_sub(taken));
        if let Err(earlier) = self.order.check(stamp) {
            self.subscription.out_of_order(sequence, stamp, earlier);
        }
        self.subscription.receive(key, sequence);
    }
}
