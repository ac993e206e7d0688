//! The pools, and the listeners behind their functions.

use crate::bus::{Bus, Handler, Key, Message};
use ringback::{Registration, Signature, callback_pool};
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
}

/// Any error that ends the job.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

impl ListenerPool for ON_MESSAGE {
    fn listen(subscription: Subscription) -> Result<Registration<Self>, Failure> {
        Ok(ON_MESSAGE.register(move |message| subscription.receive(message))?)
    }
}

impl ListenerPool for ON_MESSAGE_REUSED {
    fn listen(subscription: Subscription) -> Result<Registration<Self>, Failure> {
        Ok(ON_MESSAGE_REUSED.register(move |message| subscription.receive(message))?)
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
}

impl Subscription {
    fn receive(&self, message: &Message) {
        if message.key == self.key {
            self.tally.delivered.fetch_add(1, Relaxed);
        } else {
            self.tally.misdelivered.fetch_add(1, Relaxed);
            self.tally.evidence.get_or_init(|| {
                let Subscription { key, number, .. } = self;
                let Message { key: addressee, sequence } = message;
                format!("message {sequence} to {addressee} reached registration {number} of {key}")
            });
        }
    }
}

/// A key of the bus with its listener.
pub(crate) struct Listener<S: Signature> {
    pub(crate) key: Key,
    number: u32,
    pub(crate) tally: Arc<Tally>,
    registration: Registration<S>,
}

impl<S: ListenerPool> Listener<S> {
    /// Registers the first listener of `key`, with the pool and with the bus.
    pub(crate) fn new(bus: &Bus, key: Key) -> Result<Self, Failure> {
        Self::renew(bus, Vacant { key, number: 0, tally: Arc::default() })
    }

    /// Registers the next listener of a key.
    pub(crate) fn renew(bus: &Bus, last: Vacant) -> Result<Self, Failure> {
        let Vacant { key, number, tally } = last;
        let number = number + 1;
        let registration = S::listen(Subscription { key, number, tally: Arc::clone(&tally) })?;
        // SAFETY: a function of a pool may be called from any thread and for ever; the messages of
        // the bus are valid references.
        unsafe { bus.register(key, registration.as_fn()) };
        Ok(Listener { key, number, tally, registration })
    }

    /// Takes the key off the bus. The registration is still to be retired.
    pub(crate) fn unregister(self, bus: &Bus) -> (Registration<S>, Vacant) {
        let Listener { key, number, tally, registration } = self;
        bus.unregister(key);
        (registration, Vacant { key, number, tally })
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
