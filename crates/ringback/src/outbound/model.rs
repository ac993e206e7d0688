// SPDX-License-Identifier: MIT OR Apache-2.0

//! loom explores every interleaving of the count: `ci/loom.sh` runs these.

use super::count::{Counted, Strong};
use crate::sync::{AtomicUsize, Ordering::*};
use loom::cell::UnsafeCell;
use loom::thread;
use std::sync::Arc;

/// A callback whose every use loom watches: a call while it is released, or after, fails the model.
struct Callback {
    alive: UnsafeCell<bool>,
    releases: Arc<AtomicUsize>,
}

impl Callback {
    fn new() -> (Strong<Callback>, Arc<AtomicUsize>) {
        let releases = Arc::new(AtomicUsize::new(0));
        let alive = UnsafeCell::new(true);
        (Strong::new(Callback { alive, releases: Arc::clone(&releases) }), releases)
    }

    fn call(&self) {
        // SAFETY: loom checks that nobody writes meanwhile.
        self.alive.with(|alive| assert!(unsafe { *alive }, "called after its release"));
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: loom checks that nobody reads meanwhile.
        self.alive.with_mut(|alive| unsafe { *alive = false });
        self.releases.fetch_add(1, Relaxed);
    }
}

fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

#[test]
fn clones_on_two_threads_release_once_after_every_call() {
    model(|| {
        let (first, releases) = Callback::new();
        let second = first.clone();
        let other = thread::spawn(move || {
            second.get().call();
            second.clone().get().call();
        });
        first.get().call();
        drop(first);
        other.join().unwrap();
        assert_eq!(releases.load(Relaxed), 1);
    });
}

#[test]
fn an_upgrade_against_the_last_drop_gets_a_living_one_or_none() {
    model(|| {
        let (strong, releases) = Callback::new();
        let weak = strong.downgrade();
        let other = thread::spawn(move || match weak.upgrade() {
            Some(strong) => strong.get().call(),
            None => assert!(weak.upgrade().is_none(), "nobody comes back"),
        });
        strong.get().call();
        drop(strong);
        other.join().unwrap();
        assert_eq!(releases.load(Relaxed), 1);
    });
}

#[test]
fn foreign_retains_and_releases_count_the_same() {
    model(|| {
        let (strong, releases) = Callback::new();
        let raw = strong.into_raw();
        // SAFETY: the reference that `raw` is.
        unsafe { Counted::retain(raw) };
        let address = raw as usize;
        let foreign = thread::spawn(move || {
            let raw = address as *mut Counted<Callback>;
            // SAFETY: the second reference, given to this thread.
            unsafe {
                Counted::get(raw).call();
                drop(Strong::from_raw(raw));
            }
        });
        // SAFETY: the first reference.
        unsafe {
            Counted::get(raw).call();
            drop(Strong::from_raw(raw));
        }
        foreign.join().unwrap();
        assert_eq!(releases.load(Relaxed), 1);
    });
}
