// SPDX-License-Identifier: MIT OR Apache-2.0

//! Callbacks that are still held when the process or the foreign runtime ends.

use crate::OnEnd;
use crate::keep::{SHELF, native_clear_shelf};
use ringback::Callback;
use std::thread;
use std::time::Duration;

extern "C" fn release_at_exit() {
    native_clear_shelf();
    println!("released after the end");
}

/// When the process exits, or this library is unloaded, after the runtime has ended: drops what is on
/// the shelf.
#[unsafe(no_mangle)]
pub extern "C" fn native_release_at_exit() {
    // SAFETY: the function does not unwind.
    unsafe { libc::atexit(release_at_exit) };
}

/// Clones and drops what is on the shelf, for ever, on a thread of its own.
#[unsafe(no_mangle)]
pub extern "C" fn native_count_for_ever() {
    thread::spawn(|| {
        loop {
            let clone = SHELF.lock().expect("not poisoned").as_ref().map(Callback::to_foreign);
            drop(clone);
        }
    });
}

/// Makes a thread that calls and drops, a moment later.
#[unsafe(no_mangle)]
pub extern "C" fn native_call_later(callback: OnEnd, milliseconds: u64) {
    let callback = callback.adopt().expect("well-formed");
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = callback.call();
    });
}
