// SPDX-License-Identifier: MIT OR Apache-2.0

//! The shared library that the tests load and unload: a pool, and a listener in it.

use ringback::{Registration, callback_pool};
use std::sync::Mutex;

/// What the host calls.
pub type Function = extern "C" fn(i32) -> i32;

callback_pool! {
    static PLUGIN: Pool<extern "C" fn(i32) -> i32, 4>;
    fallback = -1;
    reuse = oldest_first;
}

static REGISTRATION: Mutex<Option<Registration<PLUGIN>>> = Mutex::new(None);

/// Registers a listener that adds; one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_register(summand: i32) -> Option<Function> {
    let registration = PLUGIN.register(move |x| x.wrapping_add(summand)).ok()?;
    let function = registration.as_fn();
    *REGISTRATION.lock().ok()? = Some(registration);
    Some(function)
}

/// Unregisters it; true if its quiet is proved.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_unregister() -> bool {
    let registration = REGISTRATION.lock().ok().and_then(|mut place| place.take());
    registration.is_some_and(|registration| registration.unregister().is_ok())
}

/// Prepares the calling thread, and registers nothing.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_attach() {
    ringback::attach_thread();
}

/// Does nothing that would need the library later.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_idle() -> i32 {
    7
}
