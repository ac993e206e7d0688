// SPDX-License-Identifier: MIT OR Apache-2.0

//! The pools, and the listeners behind their functions.

use crate::bus::{Bus, Handler, Key, Message};
use crate::delivery::{Delivery, Owned, take};
use crate::order::Stamp;
use ringback::{AsyncRegistration, Quiet, Registration, Signature, callback_pool, retire_all};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// How many listeners there can be.
pub(crate) const MOST_LISTENERS: usize = 10_000;

/// So many listeners are renewed together, and then occupy their old slots as well as new ones.
pub(crate) const BATCH: usize = 10;

callback_pool! {
    /// A function serves another listener only after the bus was seen to have forgotten it.
    pub(crate) static ON_MESSAGE:
        Pool<unsafe extern "C" fn(message: &Message), { MOST_LISTENERS + BATCH }>;
    reuse = after_confirmation;
}

callback_pool! {
    /// A function serves another listener as soon as its own is gone, whoever still holds a copy.
    pub(crate) static ON_MESSAGE_REUSED:
        Pool<unsafe extern "C" fn(message: &Message), MOST_LISTENERS>;
    reuse = oldest_first;
}

/// What the job needs of a pool. Its two pools differ in the reuse of slots alone.
pub(crate) trait ListenerPool: Signature<Pointer = Handler> {
    /// Registers a listener for the subscription.
    fn listen(subscription: Subscription) -> Result<Registration<Self>, Failure>;

    /// Registers an async one, and has it run.
    fn listen_async(
        subscription: Subscription,
        delivery: &Delivery,
    ) -> Result<AsyncRegistration<Self, Owned>, Failure>;
}

/// Any error that ends the job.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

impl ListenerPool for ON_MESSAGE {
    fn listen(subscription: Subscription) -> Result<Registration<Self>, Failure> {
        Ok(ON_MESSAGE
            .register(move |message| subscription.receive(message.key, message.sequence))?)
    }

    fn listen_async(
        subscription: Subscription,
        delivery: &Delivery,
    ) -> Result<AsyncRegistration<Self, Owned>, Failure> {
        let mut listening = delivery.listener(subscription);
        let (registration, deliver) =
            ON_MESSAGE.register_async(Delivery::mailbox(), take, async move |message| {
                listening.handle(message).await;
            })?;
        delivery.spawn(deliver);
        Ok(registration)
    }
}

impl ListenerPool for ON_MESSAGE_REUSED {
    fn listen(subscription: Subscription) -> Result<Registration<Self>, Failure> {
        Ok(ON_MESSAGE_REUSED
            .register(move |message| subscription.receive(message.key, message.sequence))?)
    }

    fn listen_async(
        subscription: Subscription,
        delivery: &Delivery,
    ) -> Result<AsyncRegistration<Self, Owned>, Failure> {
        let mut listening = delivery.listener(subscription);
        let (registration, deliver) =
            ON_MESSAGE_REUSED.register_async(Delivery::mailbox(), take, async move |message| {
                listening.handle(message).await;
            })?;
        delivery.spawn(deliver);
        Ok(registration)
    }
}

/// What a listener knows: who it is.
pub(crate) struct Subscription {
    key: Key,
    /// Which registration of this key it is, from 1.
    number: u32,
    tally: Arc<Tally>,
}

/// What the listeners of one key have received.
#[derive(Default)]
pub(crate) struct Tally {
    delivered: AtomicU64,
    misdelivered: AtomicU64,
    /// The first of the misdelivered ones.
    evidence: OnceLock<String>,
    out_of_order: AtomicU64,
    /// The first of those out of order.
    overtaken: OnceLock<String>,
}

impl Subscription {
    /// Counts a message that has been handled.
    pub(crate) fn receive(&self, addressee: Key, sequence: u64) {
        if addressee == self.key {
            self.tally.delivered.fetch_add(1, Relaxed);
        } else {
            self.tally.misdelivered.fetch_add(1, Relaxed);
            self.tally.evidence.get_or_init(|| {
                let Subscription { key, number, .. } = self;
                format!("message {sequence} to {addressee} reached registration {number} of {key}")
            });
        }
    }

    /// Counts a message that an `earlier` one of its thread should not have come before.
    pub(crate) fn out_of_order(&self, sequence: u64, stamp: Stamp, earlier: u64) {
        self.tally.out_of_order.fetch_add(1, Relaxed);
        self.tally.overtaken.get_or_init(|| {
            let Subscription { key, number, .. } = self;
            let Stamp { thread, number: stamp } = stamp;
            format!(
                "message {sequence}, call {stamp} of thread {thread}, came to registration {number} \
                 of {key} after call {earlier}"
            )
        });
    }
}

/// A key of the bus with its listener.
pub(crate) struct Listener<S: Signature> {
    pub(crate) key: Key,
    number: u32,
    pub(crate) tally: Arc<Tally>,
    guard: Guard<S>,
}

/// A registration of either kind.
pub(crate) enum Guard<S: Signature> {
    Sync(Registration<S>),
    Async(AsyncRegistration<S, Owned>),
}

impl<S: ListenerPool> Listener<S> {
    /// Registers the first listener of `key`, with the pool and with the bus; an async one if there
    /// is somebody to run it.
    pub(crate) fn new(bus: &Bus, delivery: Option<&Delivery>, key: Key) -> Result<Self, Failure> {
        Self::renew(bus, delivery, Vacant { key, number: 0, tally: Arc::default() })
    }

    /// Registers the next listener of a key.
    pub(crate) fn renew(
        bus: &Bus,
        delivery: Option<&Delivery>,
        last: Vacant,
    ) -> Result<Self, Failure> {
        let Vacant { key, number, tally } = last;
        let number = number + 1;
        let subscription = Subscription { key, number, tally: Arc::clone(&tally) };
        let guard = match delivery {
            None => Guard::Sync(S::listen(subscription)?),
            Some(delivery) => Guard::Async(S::listen_async(subscription, delivery)?),
        };
        let function = match &guard {
            Guard::Sync(registration) => registration.as_fn(),
            Guard::Async(registration) => registration.as_fn(),
        };
        // SAFETY: a function of a pool may be called from any thread and for ever; the messages of
        // the bus are valid references.
        unsafe { bus.register(key, function) };
        Ok(Listener { key, number, tally, guard })
    }

    /// Takes the key off the bus. The registration is still to be ended.
    pub(crate) fn unregister(self, bus: &Bus) -> (Guard<S>, Vacant) {
        let Listener { key, number, tally, guard } = self;
        bus.unregister(key);
        (guard, Vacant { key, number, tally })
    }
}

/// What becomes of the messages that wait for an async listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// They are delivered.
    Drain,
    /// Every second listener's are dropped.
    DiscardEverySecond,
}

/// Ends listeners, all of one kind, and waits until no call is inside. The bus may hold copies of
/// their functions.
pub(crate) fn end_all<S: Signature>(
    guards: impl IntoIterator<Item = Guard<S>>,
    delivery: Option<&Delivery>,
    ending: Ending,
) -> Result<Vec<Quiet<S>>, Failure> {
    let (mut registrations, mut drains) = (Vec::new(), Vec::new());
    for guard in guards {
        match guard {
            Guard::Sync(registration) => registrations.push(registration),
            Guard::Async(registration) => {
                let discarded = ending == Ending::DiscardEverySecond && drains.len() % 2 == 1;
                drains.push(if discarded { registration.discard() } else { registration.drain() });
            }
        }
    }
    match delivery {
        Some(delivery) => delivery.finish(drains),
        None => Ok(retire_all(registrations).wait()?),
    }
}

impl Tally {
    /// Messages that were sent to the key.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Messages that were sent to other keys.
    pub(crate) fn misdelivered(&self) -> u64 {
        self.misdelivered.load(Relaxed)
    }

    /// Messages that came after a later one of the same thread.
    pub(crate) fn out_of_order(&self) -> u64 {
        self.out_of_order.load(Relaxed)
    }

    /// What came out of order, if anything.
    pub(crate) fn overtaken(&self) -> Option<&str> {
        self.overtaken.get().map(String::as_str)
    }

    /// What was misdelivered, if anything.
    pub(crate) fn evidence(&self) -> Option<&str> {
        self.evidence.get().map(String::as_str)
    }
}

/// A key whose listener was unregistered.
pub(crate) struct Vacant {
    key: Key,
    number: u32,
    tally: Arc<Tally>,
}
