// SPDX-License-Identifier: MIT OR Apache-2.0

//! One vsomeip application: its life, what it offers and requests, and its handlers.

use super::bridge::ffi;
use super::configuration::{self, Configuration};
use super::gate::{Ending, NotQuiet, Quiet};
use super::handler::{Action, Alive, Handler};
use super::inner::{Inner, Key, Register};
use super::load::library;
use super::message::{Header, Held, Message, Target};
use super::{Error, Result, after, lock, spawn};
use bytes::Bytes;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the end of an application waits for vsomeip to let go of the handlers.
const LET_GO: Duration = Duration::from_secs(2);

/// A running application. Dropping it stops it: handlers end, threads are joined.
pub struct Application {
    inner: Arc<Inner>,
    configuration: Arc<Configuration>,
    life: Mutex<Option<Life>>,
}

/// What ends with the application.
struct Life {
    handlers: Arc<Alive>,
    state: Option<Handler>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

impl Application {
    /// Makes an application and starts it on a thread of its own; returns when the routing manager
    /// has registered it, at most after `limit`.
    ///
    /// `configuration` is a JSON file or a folder of them; without one vsomeip looks where it always
    /// does. vsomeip reads the configuration once per process, for the first application.
    ///
    /// # Errors
    /// [`Error`]; the application is then gone again.
    pub fn start(name: &str, configuration: Option<&Path>, limit: Duration) -> Result<Self> {
        if name.is_empty() || name.contains('\0') {
            return Err(Error::Name(name.to_owned()));
        }
        let library = library().map_err(Error::Load)?;
        cxx::let_cxx_string!(cxx_name = name);
        let path = configuration.map(Path::as_os_str).unwrap_or(OsStr::new(""));
        cxx::let_cxx_string!(cxx_path = path.as_bytes());
        // SAFETY: the address of `runtime::get`, whose interface `library` has checked.
        let raw = unsafe { ffi::create(library.runtime_get, &cxx_name, &cxx_path)? };
        if raw.is_null() {
            return Err(Error::NameTaken(name.to_owned()));
        }
        let inner = Arc::new(Inner::new(raw, name));
        let check = |in_force: &Configuration| inner.claim_id(in_force);
        let init = || inner.raw().init();
        let (in_force, init) = configuration::fix(name, configuration, check, init)?;
        if !init? {
            return Err(Error::Init(name.to_owned()));
        }
        let handlers = Arc::new(Alive(Arc::default()));
        let life = Life { handlers, state: None, thread: None };
        let application =
            Application { inner, configuration: in_force, life: Mutex::new(Some(life)) };
        let state = application.watch_state()?;
        let inner = Arc::clone(&application.inner);
        let spawned = spawn(format!("vsomeip-{name}"), move || {
            if let Err(error) = inner.raw().start() {
                log::error!("vsomeip application {:?} ended: {error}", inner.name);
            }
        });
        if let Some(life) = &mut *lock(&application.life) {
            life.state = Some(state);
            life.thread = Some(spawned.map_err(Error::Thread)?);
        }
        super::exit::stop_at_exit(&application.inner);
        if !application.wait_registered(limit) {
            return Err(Error::NotRegistered { name: name.to_owned(), waited: limit });
        }
        Ok(application)
    }

    fn watch_state(&self) -> Result<Handler> {
        let inner = Arc::downgrade(&self.inner);
        let action = Action::State(Box::new(move |registered| {
            if let Some(inner) = inner.upgrade() {
                *lock(&inner.registered) = registered;
                inner.changed.notify_all();
            }
        }));
        self.handler(
            Key::State,
            action,
            // SAFETY: `adopt` gives a context that the token may own.
            &|raw, context| unsafe { raw.on_state(context) },
        )
    }

    /// Waits until the routing manager knows the application, at most so long.
    pub fn wait_registered(&self, limit: Duration) -> bool {
        let deadline = after(Instant::now(), limit);
        let mut registered = lock(&self.inner.registered);
        while !*registered {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            registered = self
                .inner
                .changed
                .wait_timeout(registered, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its client id, as the routing manager gave it.
    pub fn client(&self) -> u16 {
        self.inner.raw().client()
    }

    /// Whether this application is the routing manager of its network.
    pub fn is_routing(&self) -> bool {
        self.inner.raw().is_routing()
    }

    /// The configuration that is in force in this process.
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    fn handler(&self, key: Key, action: Action, register: Register<'_>) -> Result<Handler> {
        let handlers = lock(&self.life).as_ref().map(|life| Arc::clone(&life.handlers));
        let handlers = handlers.ok_or_else(|| Error::Stopped(self.inner.name.clone()))?;
        self.inner.handler(key, action, handlers, register)
    }

    /// Calls `run` for each message to this target; [`ANY`](super::ANY) in a field is a wildcard, which vsomeip
    /// consults only where no exact handler is registered. A second handler of the same target takes
    /// the place of the first, whose guard then ends the first and no other.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn on_message(
        &self,
        of: Target,
        run: impl Fn(&Message<'_>) + Send + Sync + 'static,
    ) -> Result<Handler> {
        let action = Action::Message(Box::new(run));
        // SAFETY: `adopt` gives a context that the token may own.
        self.handler(Key::Message(of), action, &|raw, context| unsafe {
            raw.on_message(of, context)
        })
    }

    /// As [`on_message`](Self::on_message) with a bare C function; `gone` runs, on our own thread,
    /// once vsomeip cannot call it any more. The gate cannot be closed in front of a bare pointer, so
    /// queued messages still reach it until then.
    ///
    /// # Errors
    /// A C++ exception; `gone` runs then, too.
    ///
    /// # Safety
    /// `function` may be called, from vsomeip's threads, with what
    /// [`Message::from_raw`](super::Message::from_raw) takes, until `gone` runs.
    pub unsafe fn on_message_pointer(
        &self,
        of: Target,
        function: unsafe extern "C" fn(message: *const std::ffi::c_void),
        gone: impl FnOnce() + Send + 'static,
    ) -> Result<Handler> {
        let action = Action::Pointer(Box::new(gone));
        self.handler(
            Key::Message(of),
            action,
            // SAFETY: `adopt` gives the context, and the caller vouches for the function.
            &|raw, context| unsafe { raw.on_message_pointer(of, function as usize, context) },
        )
    }

    /// Calls `run(service, instance, available)` when a service comes or goes.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn on_availability(
        &self,
        of: Target,
        run: impl Fn(u16, u16, bool) + Send + Sync + 'static,
    ) -> Result<Handler> {
        let action = Action::Availability(Box::new(run));
        // SAFETY: `adopt` gives a context that the token may own.
        self.handler(Key::Availability(of.service, of.instance), action, &|raw, context| unsafe {
            raw.on_availability(of, context)
        })
    }

    /// Calls `run(client, subscribed)` when somebody subscribes to an event offered here, or ends
    /// that; it answers whether the subscription is accepted. The subscriber is attached after that:
    /// what is notified in between does not reach it.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn on_subscription(
        &self,
        of: Target,
        run: impl Fn(u16, bool) -> bool + Send + Sync + 'static,
    ) -> Result<Handler> {
        let action = Action::Subscription(Box::new(run));
        // SAFETY: `adopt` gives a context that the token may own.
        self.handler(Key::Subscription(of), action, &|raw, context| unsafe {
            raw.on_subscription(of, context)
        })
    }

    /// Accepts every subscription to an event offered here, and calls `run(client, subscribed)` when it
    /// is in force: what is notified from then on reaches the subscriber. Takes the place of
    /// [`on_subscription`](Self::on_subscription).
    ///
    /// Where this application is the routing manager and the subscriber on another machine, vsomeip has
    /// yet to take a last step of its own, on one of its threads.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn on_subscribed(
        &self,
        of: Target,
        run: impl Fn(u16, bool) + Send + Sync + 'static,
    ) -> Result<Handler> {
        let action = Action::Subscribed(Box::new(run));
        // SAFETY: `adopt` gives a context that the token may own.
        self.handler(Key::Subscription(of), action, &|raw, context| unsafe {
            raw.on_subscription(of, context)
        })
    }

    /// Calls `run(error)` when a subscription made here is answered; 0 is acceptance.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn on_subscription_status(
        &self,
        of: Target,
        run: impl Fn(u16) + Send + Sync + 'static,
    ) -> Result<Handler> {
        let action = Action::SubscriptionStatus(Box::new(run));
        self.handler(
            Key::SubscriptionStatus(of),
            action,
            // SAFETY: `adopt` gives a context that the token may own.
            &|raw, context| unsafe { raw.on_subscription_status(of, context) },
        )
    }

    /// Sends a message; a request is numbered by vsomeip. Answers its request id: client id above,
    /// session id below. The payload is copied once.
    ///
    /// # Errors
    /// A C++ exception. That nobody is there to receive it is not one.
    pub fn send(&self, header: &Header, payload: &[u8]) -> Result<u32> {
        Ok(self.inner.enter()?.send(header, payload)?)
    }

    /// Sends an event to all subscribers, equal to the last one or not. The payload is copied once, by
    /// vsomeip, and dropped when vsomeip has no use for it any more, as a rule before this returns.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn notify(&self, of: Target, payload: impl Into<Bytes>) -> Result<()> {
        Ok(self.inner.enter()?.notify(of, Held::new(payload))?)
    }

    /// As [`notify`](Self::notify), to one subscriber.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn notify_one(&self, of: Target, client: u16, payload: impl Into<Bytes>) -> Result<()> {
        Ok(self.inner.enter()?.notify_one(of, client, Held::new(payload))?)
    }

    /// Stops it: no handler runs when this returns, all are taken out of vsomeip, the threads that ran
    /// them are joined, and their closures are dropped.
    ///
    /// # Errors
    /// [`NotQuiet::WouldDeadlock`] inside a handler or listener, where it would wait for itself: it is
    /// then done by another thread. [`NotQuiet::TimedOut`] where not all closures were dropped within
    /// two seconds.
    pub fn stop(self) -> Result<Quiet, NotQuiet> {
        self.end()
    }

    /// As [`stop`](Self::stop), once.
    pub(crate) fn end(&self) -> Result<Quiet, NotQuiet> {
        let Some(Life { handlers, state, thread }) = lock(&self.life).take() else {
            return Ok(Quiet);
        };
        let gate = Arc::clone(&handlers.0);
        let ending = Ending::new(Arc::clone(&gate));
        let inner = Arc::clone(&self.inner);
        let end = move || {
            if let Some(thread) = thread {
                inner.stop_once();
                if thread.join().is_err() {
                    log::error!("the thread of vsomeip application {:?} panicked", inner.name);
                }
            }
            // What was queued is still there after `stop`, and holds handlers.
            inner.clear();
            drop(state);
            drop(handlers);
            let quiet = ending.wait_timeout(LET_GO);
            if quiet.is_err() {
                log::error!("vsomeip still holds handlers of application {:?}", inner.name);
            }
            quiet
        };
        if !super::handler::must_not_wait() {
            return end();
        }
        if let Err(error) = spawn("vsomeip-stop", move || drop(end())) {
            log::error!("application {:?} is not stopped: {error}", self.inner.name);
        }
        Err(NotQuiet::WouldDeadlock(Ending::new(gate)))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.end(); // says itself what is wrong
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Application {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// A C++ exception.
            pub fn $name(&self, of: Target $(, $argument: $type)*) -> Result<()> {
                Ok(self.inner.enter()?.$name(of $(, $argument)*)?)
            }
        )*}
    };
}

calls! {
    /// Offers a service.
    offer_service(major: u8, minor: u32);
    /// Ends the offer.
    stop_offer_service(major: u8, minor: u32);
    /// Asks for a service; [`is_available`](Self::is_available) tells when it is there.
    request_service(major: u8);
    /// Ends that.
    release_service();
    /// Offers an event, in an eventgroup of the same number.
    offer_event();
    /// Ends the offer.
    stop_offer_event();
    /// Asks for an event of a requested service.
    request_event();
    /// Ends that.
    release_event();
    /// Subscribes to a requested event.
    subscribe(major: u8);
    /// Ends the subscription.
    unsubscribe();
}

impl Application {
    /// Whether a requested service can be used now.
    pub fn is_available(&self, of: Target) -> bool {
        self.inner.enter().is_ok_and(|raw| raw.is_available(of))
    }

    /// The major version with which a requested service is offered now.
    pub fn available_major(&self, of: Target) -> Option<u8> {
        let major = self.inner.enter().ok()?.available_major(of).ok()?;
        u8::try_from(major).ok()
    }
}
