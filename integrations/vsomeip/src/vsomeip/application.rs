// SPDX-License-Identifier: MIT OR Apache-2.0

//! One vsomeip application: its life, what it offers and requests, and its handlers.

use super::bridge::ffi;
use super::handler::{Action, Handler, adopt};
use super::load::{LoadError, library};
use super::message::{Header, Message, Target};
use cxx::UniquePtr;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Why an application could not be made, or a call into vsomeip failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The library is not there, or not the one this program was built for.
    Load(LoadError),
    /// This process has an application of that name already.
    NameTaken(String),
    /// vsomeip did not accept the configuration; it has logged why.
    Init(String),
    /// The routing manager did not register the application in time.
    NotRegistered {
        /// The application's name.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A C++ exception, by its text.
    Exception(String),
    /// No thread could be started.
    Thread(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Load(error) => error.fmt(f),
            Error::NameTaken(name) => {
                write!(f, "this process already has a vsomeip application named {name:?}")
            }
            Error::Init(name) => write!(
                f,
                "vsomeip refused the configuration of {name:?}; its log says why. Often another \
                 process of this network is the routing manager already"
            ),
            Error::NotRegistered { name, waited } => write!(
                f,
                "no routing manager registered {name:?} within {waited:?}: is the one that the \
                 configuration names running, and in the same \"network\"?"
            ),
            Error::Exception(text) => write!(f, "vsomeip: {text}"),
            Error::Thread(error) => write!(f, "no thread for vsomeip: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<cxx::Exception> for Error {
    fn from(exception: cxx::Exception) -> Self {
        Error::Exception(exception.what().to_owned())
    }
}

/// A result of vsomeip.
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) struct Inner {
    raw: UniquePtr<ffi::Application>,
    name: String,
    registered: Mutex<bool>,
    changed: Condvar,
    stopped: AtomicBool,
}

impl Inner {
    /// Stops it, unless somebody else does or has: answers whether it was this call.
    pub(crate) fn stop_once(&self) -> bool {
        let first = !self.stopped.swap(true, AcqRel);
        if first && let Err(error) = self.raw().stop() {
            log::error!("stopping vsomeip application {:?}: {error}", self.name);
        }
        first
    }

    fn raw(&self) -> &ffi::Application {
        // Checked when it was made.
        self.raw.as_ref().unwrap_or_else(|| unreachable!())
    }
}

/// A running application. Dropping it stops it: handlers end, threads are joined.
pub struct Application {
    inner: Arc<Inner>,
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
        let library = library().map_err(Error::Load)?;
        cxx::let_cxx_string!(cxx_name = name);
        let path = configuration.map(Path::as_os_str).unwrap_or(OsStr::new(""));
        cxx::let_cxx_string!(cxx_path = path.as_bytes());
        // SAFETY: the address of `runtime::get`, whose interface `library` has checked.
        let raw = unsafe { ffi::create(library.runtime_get, &cxx_name, &cxx_path)? };
        if raw.is_null() {
            return Err(Error::NameTaken(name.to_owned()));
        }
        let inner = Arc::new(Inner {
            raw,
            name: name.to_owned(),
            registered: Mutex::new(false),
            changed: Condvar::new(),
            stopped: AtomicBool::new(false),
        });
        if !inner.raw().init()? {
            return Err(Error::Init(name.to_owned()));
        }
        let mut application = Application { inner, state: None, thread: None };
        application.state = Some(application.watch_state()?);
        let inner = Arc::clone(&application.inner);
        let spawned = thread::Builder::new().name(format!("vsomeip-{name}")).spawn(move || {
            if let Err(error) = inner.raw().start() {
                log::error!("vsomeip application {:?} ended: {error}", inner.name);
            }
        });
        application.thread = Some(spawned.map_err(Error::Thread)?);
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
                *inner.registered.lock().unwrap_or_else(PoisonError::into_inner) = registered;
                inner.changed.notify_all();
            }
        }));
        // SAFETY: `adopt` gives a context that the token may own.
        self.handler(
            action,
            |raw, context| unsafe { raw.on_state(context) },
            |raw| raw.unregister_on_state(),
        )
    }

    /// Waits until the routing manager knows the application, at most so long.
    pub fn wait_registered(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut registered = self.inner.registered.lock().unwrap_or_else(PoisonError::into_inner);
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

    fn handler(
        &self,
        action: Action,
        register: impl FnOnce(&ffi::Application, usize) -> Result<(), cxx::Exception>,
        unregister: impl FnOnce(&ffi::Application) -> Result<(), cxx::Exception> + Send + Sync + 'static,
    ) -> Result<Handler> {
        let inner = Arc::downgrade(&self.inner);
        let take_out = move || {
            // From an application that stops, `clear_all_handler` takes them all.
            if let Some(inner) = inner.upgrade()
                && !inner.stopped.load(Acquire)
                && let Err(error) = unregister(inner.raw())
            {
                log::warn!("vsomeip: {error}");
            }
        };
        Ok(adopt(action, |context| register(self.inner.raw(), context), take_out)?)
    }

    /// Calls `run` for each message to this target; [`ANY`](super::ANY) in a field is a wildcard, which vsomeip
    /// consults only where no exact handler is registered. A second handler of the same target
    /// takes the place of the first.
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
        self.handler(
            action,
            |raw, context| unsafe { raw.on_message(of, context) },
            move |raw| raw.unregister_on_message(of),
        )
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
            action,
            // SAFETY: `adopt` gives the context, and the caller vouches for the function.
            |raw, context| unsafe { raw.on_message_pointer(of, function as usize, context) },
            move |raw| raw.unregister_on_message(of),
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
        self.handler(
            action,
            |raw, context| unsafe { raw.on_availability(of, context) },
            move |raw| raw.unregister_on_availability(of),
        )
    }

    /// Calls `run(client, subscribed)` when somebody subscribes to an event offered here, or ends
    /// that; it answers whether the subscription is accepted.
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
        self.handler(
            action,
            |raw, context| unsafe { raw.on_subscription(of, context) },
            move |raw| raw.unregister_on_subscription(of),
        )
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
            action,
            // SAFETY: `adopt` gives a context that the token may own.
            |raw, context| unsafe { raw.on_subscription_status(of, context) },
            move |raw| raw.unregister_on_subscription_status(of),
        )
    }

    /// Sends a message; a request is numbered by vsomeip. Answers its request id: client id above,
    /// session id below. The payload is copied once.
    ///
    /// # Errors
    /// A C++ exception. That nobody is there to receive it is not one.
    pub fn send(&self, header: &Header, payload: &[u8]) -> Result<u32> {
        Ok(self.inner.raw().send(header, payload)?)
    }

    /// Sends an event to all subscribers, equal to the last one or not. The payload is copied once, by
    /// vsomeip.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn notify(&self, of: Target, payload: &[u8]) -> Result<()> {
        Ok(self.inner.raw().notify(of, payload)?)
    }

    /// Sends an event to one subscriber.
    ///
    /// # Errors
    /// A C++ exception.
    pub fn notify_one(&self, of: Target, client: u16, payload: &[u8]) -> Result<()> {
        Ok(self.inner.raw().notify_one(of, client, payload)?)
    }

    /// Stops it: no handler runs when this returns, all are taken out of vsomeip, and the threads
    /// that ran them are joined. Handlers' closures are dropped in the background.
    ///
    /// Called on a thread of vsomeip it would wait for itself: it is then done by another thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let inner = Arc::clone(&self.inner);
        let state = self.state.take();
        let end = move || {
            inner.stop_once();
            if thread.join().is_err() {
                log::error!("the thread of vsomeip application {:?} panicked", inner.name);
            }
            // What was queued is still there after `stop`, and holds handlers.
            inner.raw().clear_all_handlers();
            drop(state);
        };
        if super::handler::must_not_wait() {
            drop(thread::Builder::new().name("vsomeip-stop".into()).spawn(end));
        } else {
            end();
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.end();
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
                Ok(self.inner.raw().$name(of $(, $argument)*)?)
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
        self.inner.raw().is_available(of)
    }

    /// The major version with which a requested service is offered now.
    pub fn available_major(&self, of: Target) -> Option<u8> {
        self.inner.raw().available_major(of).ok().and_then(|major| u8::try_from(major).ok())
    }
}
