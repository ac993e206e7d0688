// SPDX-License-Identifier: MIT OR Apache-2.0

//! Applications that still run when the process exits.
//!
//! `exit` destroys vsomeip's static objects while its threads use them, which ends the process with an
//! abort now and then. A function that is registered with `atexit` after the library was opened runs
//! before those destructors: it stops what is still running, one after the other, and waits for each a
//! second at most until it has stopped, one until it has ended and one until no call is inside. From then
//! on no call of ours enters vsomeip: a thread that goes on, a listener's for example, is told that the
//! application has been stopped.

use super::inner::Inner;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

static RUNNING: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());
const LIMIT: Duration = Duration::from_secs(1);

/// Remembers an application until it is gone. The library is open already.
pub(crate) fn stop_at_exit(inner: &Arc<Inner>) {
    static ONCE: Once = Once::new();
    // SAFETY: a function that may be called at exit: it panics nowhere, and stays loaded: nobody
    // closes the library that this crate is linked into (SAFETY.md, "Not covered").
    ONCE.call_once(|| unsafe {
        libc::atexit(stop_all);
    });
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|other| other.strong_count() != 0);
    running.push(Arc::downgrade(inner));
}

extern "C" fn stop_all() {
    let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
    for weak in running {
        let Some(inner) = weak.upgrade() else { continue };
        let stopping = std::thread::Builder::new().spawn(move || inner.stop_once());
        let Ok(stopping) = stopping else { continue };
        if !wait(LIMIT, || stopping.is_finished()) {
            continue;
        }
        match stopping.join() {
            // The thread that ran it holds it until it has left vsomeip; a guard that was forgotten
            // does so for ever.
            Ok(true) => wait(Duration::from_millis(50), || weak.strong_count() <= 1),
            // It is about to end, in the background.
            _ => wait(LIMIT, || weak.strong_count() == 0),
        };
        wait(LIMIT, || weak.upgrade().is_none_or(|inner| inner.is_idle()));
    }
}

/// Answers whether it came true in time.
fn wait(limit: Duration, there: impl Fn() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !there() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    there()
}
