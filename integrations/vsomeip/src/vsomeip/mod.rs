// SPDX-License-Identifier: MIT OR Apache-2.0

//! vsomeip itself, thin and safe: one application, its handlers, and the proof that a handler is gone.
//!
//! vsomeip copies a handler into its map, into its queue for every message, and forgets it when the
//! last copy is destroyed; nobody tells. Here every copy carries a counted token, so it does:
//! [`Handler::unregister`] closes a gate (no call begins any more, queued copies return at once) and
//! gives an [`Ending`], which resolves when the last copy is gone and the closure is dropped, on a
//! thread of our own.

mod application;
pub(crate) mod bridge;
mod client_id;
mod configuration;
mod error;
mod exit;
pub(crate) mod gate;
pub(crate) mod handler;
mod inner;
mod load;
mod message;

pub(crate) use self::configuration::{
    Configuration, UNSET, address, files as configuration_files, without_mark,
};
pub use self::{
    application::Application,
    error::{Error, Result},
    gate::{Ending, NotQuiet, Quiet},
    handler::{Handler, live_handlers},
    load::{Library, LoadError, VERSION, library},
    message::{ANY, ANY_MAJOR, Header, Message, MessageType, ReturnCode, Target},
};

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread of ours. What it runs is boxed, so that std's part of it is compiled once.
pub(crate) fn spawn(
    name: impl Into<String>,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let run: Box<dyn FnOnce() + Send> = Box::new(run);
    thread::Builder::new().name(name.into()).spawn(run)
}

/// So long after a moment. "For ever" is thirty years: clocks cannot count further than they can.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    start + wait.min(FOR_EVER)
}
