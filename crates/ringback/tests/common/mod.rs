// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the tests share: a watchdog, a foreign thread, things that tell when they are dropped.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::process::abort;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Ends the process, and so the test run, if the guard is not dropped in time: for what may hang.
pub fn watchdog(name: &'static str) -> impl Drop {
    struct Guard(#[allow(dead_code)] Sender<()>);
    impl Drop for Guard {
        fn drop(&mut self) {}
    }
    let (alive, over) = channel::<()>();
    thread::spawn(move || {
        if over.recv_timeout(Duration::from_secs(120)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("watchdog: {name} hangs");
            abort();
        }
    });
    Guard(alive)
}

/// Counts how many of its clones have been dropped, and on which threads that happened.
#[derive(Default)]
pub struct Drops {
    count: Arc<AtomicUsize>,
}

pub struct Counted {
    count: Arc<AtomicUsize>,
    then: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Drops {
    pub fn token(&self) -> Counted {
        Counted { count: self.count.clone(), then: None }
    }

    pub fn token_then(&self, then: impl FnOnce() + Send + Sync + 'static) -> Counted {
        Counted { count: self.count.clone(), then: Some(Box::new(then)) }
    }

    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }
}

impl Counted {
    /// Makes a closure own the token.
    pub fn touch(&self) {}
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_add(1, SeqCst);
        if let Some(then) = self.then.take() {
            then();
        }
    }
}

/// Silences the default panic message of panics that a test provokes.
pub fn quiet_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let provoked =
                info.payload().downcast_ref::<&str>().is_some_and(|t| t.starts_with("provoked"));
            if !provoked && info.payload().downcast_ref::<Provoked>().is_none() {
                before(info);
            }
        }));
    });
}

/// A panic payload whose destructor panics too.
pub struct Provoked;

impl Drop for Provoked {
    fn drop(&mut self) {
        panic!("provoked by a payload's destructor");
    }
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let _alive = watchdog("wait_until");
    let mut spins = 0_u32;
    while !condition() {
        spins += 1;
        if spins > 100 {
            thread::sleep(Duration::from_micros(200));
        } else {
            thread::yield_now();
        }
        assert!(spins < 500_000, "never: {what}");
    }
}
