// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an application shares with its handlers' guards and with its thread.
//!
//! # State
//! `owners` says which of our handlers vsomeip has: one for a kind and target, since a later one takes
//! the place of the first. The guard of one that was replaced must not take out its successor. The lock
//! is held while vsomeip registers and unregisters: it calls no handler from within, and a token that
//! ends there takes no lock.
//!
//! `calls` counts our calls into vsomeip. It is closed when the application stops, which is also when
//! the process exits: nobody may enter what `exit` is about to destroy.

use super::bridge::ffi;
use super::client_id::ClientId;
use super::configuration::Configuration;
use super::gate::{Gate, Leave};
use super::handler::{Action, Alive, Handler, adopt};
use super::message::Target;
use super::{Error, Result, lock};
use cxx::UniquePtr;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, OnceLock};

/// What vsomeip keeps one handler for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    State,
    Message(Target),
    Availability(u16, u16),
    Subscription(Target),
    SubscriptionStatus(Target),
}

impl Key {
    fn unregister(self, raw: &ffi::Application) -> Result<(), cxx::Exception> {
        match self {
            Key::State => raw.unregister_on_state(),
            Key::Message(of) => raw.unregister_on_message(of),
            Key::Availability(service, instance) => {
                raw.unregister_on_availability(Target { service, instance, method: 0 })
            }
            Key::Subscription(of) => raw.unregister_on_subscription(of),
            Key::SubscriptionStatus(of) => raw.unregister_on_subscription_status(of),
        }
    }
}

/// Gives vsomeip a handler with this context.
pub(crate) type Register<'a> = &'a dyn Fn(&ffi::Application, usize) -> Result<(), cxx::Exception>;

pub(crate) struct Inner {
    raw: UniquePtr<ffi::Application>,
    pub(crate) name: String,
    pub(crate) registered: Mutex<bool>,
    pub(crate) changed: Condvar,
    /// Until vsomeip's application is gone, as its name.
    client_id: OnceLock<ClientId>,
    calls: Gate,
    /// By the numbers of their guards, which are never used again.
    owners: Mutex<HashMap<Key, u64>>,
}

/// A call of ours into vsomeip.
pub(crate) struct Inside<'a> {
    raw: &'a ffi::Application,
    _leave: Leave<'a>,
}

impl Deref for Inside<'_> {
    type Target = ffi::Application;

    fn deref(&self) -> &ffi::Application {
        self.raw
    }
}

impl Inner {
    /// Of an application that is not null.
    pub(crate) fn new(raw: UniquePtr<ffi::Application>, name: &str) -> Self {
        Inner {
            raw,
            name: name.to_owned(),
            registered: Mutex::new(false),
            changed: Condvar::new(),
            client_id: OnceLock::new(),
            calls: Gate::default(),
            owners: Mutex::default(),
        }
    }

    /// Claims the client id that the configuration gives it; where it gives none, the routing manager
    /// picks a free one.
    ///
    /// # Errors
    /// Somebody else has it.
    pub(crate) fn claim_id(&self, in_force: &Configuration) -> Result<()> {
        let Some(id) = in_force.settings(&self.name).and_then(|settings| settings.id) else {
            return Ok(());
        };
        let taken = |socket| Error::IdTaken { name: self.name.clone(), id, socket };
        let claimed = ClientId::claim(&in_force.network(), id).map_err(taken)?;
        let _ = self.client_id.set(claimed); // the first and only one
        Ok(())
    }

    /// Stops it, unless somebody else does or has: answers whether it was this call. From here on
    /// nobody enters.
    pub(crate) fn stop_once(&self) -> bool {
        let first = self.calls.close();
        if first && let Err(error) = self.raw().stop() {
            log::error!("stopping vsomeip application {:?}: {error}", self.name);
        }
        first
    }

    /// Whether no call of ours is inside.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// For what must work at any time.
    pub(crate) fn raw(&self) -> &ffi::Application {
        // Checked when it was made.
        self.raw.as_ref().unwrap_or_else(|| unreachable!())
    }

    /// For everything else.
    pub(crate) fn enter(&self) -> Result<Inside<'_>> {
        let leave = self.calls.begin().ok_or_else(|| Error::Stopped(self.name.clone()))?;
        Ok(Inside { raw: self.raw(), _leave: leave })
    }

    /// Registers a handler. Its guard takes it out again, unless another has taken its place.
    pub(crate) fn handler(
        self: &Arc<Self>,
        key: Key,
        action: Action,
        alive: Arc<Alive>,
        register: Register<'_>,
    ) -> Result<Handler> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Relaxed);
        let weak = Arc::downgrade(self);
        let take_out = move || {
            if let Some(inner) = weak.upgrade() {
                inner.take_out(key, number);
            }
        };
        let raw = self.enter()?;
        let mut owners = lock(&self.owners);
        let handler = adopt(action, alive, |context| register(&raw, context), take_out)?;
        owners.insert(key, number);
        Ok(handler)
    }

    /// From an application that stops, [`clear`](Self::clear) takes them all.
    fn take_out(&self, key: Key, number: u64) {
        let Ok(raw) = self.enter() else { return };
        let mut owners = lock(&self.owners);
        if owners.get(&key) == Some(&number) {
            owners.remove(&key);
            if let Err(error) = key.unregister(&raw) {
                log::warn!("vsomeip: {error}");
            }
        }
    }

    /// Takes out what is left, once the application has stopped. vsomeip's `clear_all_handler` forgets
    /// the handlers of subscription answers.
    pub(crate) fn clear(&self) {
        self.raw().clear_all_handlers();
        for (key, _) in lock(&self.owners).drain() {
            if let Key::SubscriptionStatus(_) = key
                && let Err(error) = key.unregister(self.raw())
            {
                log::warn!("vsomeip: {error}");
            }
        }
    }
}
