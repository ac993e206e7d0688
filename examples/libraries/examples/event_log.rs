// SPDX-License-Identifier: MIT OR Apache-2.0

//! libevent writes its warnings to one function for the whole process, which gets no user data: a
//! pooled one. Its timers do have user data: `UserData`.
//!
//!     cargo run --example event_log

use ringback::{UserData, callback_pool};
use ringback_example_libraries::event::*;
use std::error::Error;
use std::ffi::{CStr, c_char, c_int};
use std::sync::{Arc, Mutex};

// ANCHOR: pool
callback_pool! {
    /// What libevent has to say.
    static ON_LOG: Pool<event_log_cb, 4>;
    fallback = ();
}
// ANCHOR_END: pool

fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: register
    let lines = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&lines);
    let log = ON_LOG.register(move |severity: c_int, text: *const c_char| {
        // SAFETY: libevent passes a C string.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
        let word = match severity as u32 {
            EVENT_LOG_ERR => "error",
            EVENT_LOG_WARN => "warning",
            _ => "note",
        };
        written.lock().expect("nobody panicked").push(format!("{word}: {text}"));
    })?;
    // ANCHOR_END: register
    // ANCHOR: give
    // SAFETY: a function that lives as long as the program; taken back below.
    unsafe { event_set_log_callback(log.as_fn()) };
    // ANCHOR_END: give

    // SAFETY: one thread; the base and its timer are freed before the function ends.
    unsafe {
        let base = event_base_new();
        if base.is_null() {
            return Err("libevent has no method to wait by".into());
        }
        let address = base as usize; // so that the closure may cross threads, which it does not
        // ANCHOR: timer
        let timer = UserData::<event_callback_fn>::last(
            || (),
            // A mistake, of which libevent warns: the loop is running already.
            move |_socket, _what| {
                event_base_loop(address as *mut event_base, 0);
            },
        )?;
        let event = event_new(base, -1, 0, timer.as_fn(), timer.data());
        // ANCHOR_END: timer
        let at_once = timeval { tv_sec: 0, tv_usec: 0 };
        event_add(event, &raw const at_once);
        event_base_dispatch(base);
        event_free(event);
        event_base_free(base);
        drop(timer.unregister()?);
    }
    // ANCHOR: take_back
    // SAFETY: none at all, the default.
    unsafe { event_set_log_callback(None) };
    // libevent was told to forget it, and its one thread is this one.
    log.unregister()?.confirm_forgotten();
    // ANCHOR_END: take_back

    for line in lines.lock().expect("nobody panicked").iter() {
        println!("{line}");
    }
    Ok(())
}
