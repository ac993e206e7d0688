// SPDX-License-Identifier: MIT OR Apache-2.0

//! Listeners that borrow: a scope outlasts every call of them, whatever they do.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::{wait_until, watchdog};
use ringback::callback_pool;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::*};
use std::thread;
use std::time::Duration;

const STALE: i32 = -1;

callback_pool! {
    static POOL: Pool<extern "C" fn(i32) -> i32, 64>;
    fallback = STALE; reuse = oldest_first;
}

#[test]
fn a_scope_lends_borrowing_listeners_and_outlasts_their_calls() {
    let _alive = watchdog("the end of a scope");
    let total = AtomicI32::new(0);
    let inside = AtomicBool::new(false);
    thread::scope(|threads| {
        POOL.scope(|s| {
            let slow = s
                .register(|x| {
                    inside.store(true, SeqCst);
                    thread::sleep(Duration::from_millis(30));
                    total.fetch_add(x, SeqCst)
                })
                .unwrap();
            let f = slow.as_fn();
            threads.spawn(move || f(5));
            wait_until("inside", || inside.load(SeqCst));
            let _ = slow; // the scope does not depend on its guards
        });
        assert_eq!(total.load(SeqCst), 5, "the scope ended before its call");
    });
    let mut sum = 0;
    let f = POOL.scope(|s| {
        let r = s
            .register_mut(|x| {
                sum += x;
                sum
            })
            .unwrap();
        r.confirm_forgotten();
        (r.as_fn())(3);
        (r.as_fn())(4);
        r.as_fn()
    });
    assert_eq!(sum, 7);
    assert_eq!(f(1), STALE);
}

/// A listener that registers another one while the scope is ending, and whose pointer gets out.
#[test]
fn what_is_registered_while_a_scope_ends_ends_with_it() {
    let _alive = watchdog("the end of a scope into which a listener registers");
    let escaped = std::sync::Mutex::new(None);
    let (inside, go) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|threads| {
        let total = AtomicI32::new(0);
        POOL.scope(|s| {
            let first = s
                .register(|x| {
                    inside.store(true, SeqCst);
                    wait_until("the scope ends", || go.load(SeqCst));
                    // Some time for the scope to be waiting.
                    thread::sleep(Duration::from_millis(30));
                    let second = s.register(|y| total.fetch_add(y, SeqCst)).unwrap();
                    second.confirm_forgotten();
                    *escaped.lock().unwrap() = Some(second.as_fn());
                    x
                })
                .unwrap();
            let f = first.as_fn();
            threads.spawn(move || f(5));
            wait_until("inside", || inside.load(SeqCst));
            go.store(true, SeqCst);
        });
        let second = escaped.lock().unwrap().take().expect("registered");
        assert_eq!(second(7), STALE, "called into a scope that has ended");
        assert_eq!(total.load(SeqCst), 0);
    });
}

#[test]
fn a_scope_ends_also_when_its_body_panics() {
    common::quiet_panics();
    let value = AtomicI32::new(0);
    let f = std::sync::Mutex::new(None);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        POOL.scope(|s| {
            let r = s.register(|x| value.fetch_add(x, SeqCst)).unwrap();
            *f.lock().unwrap() = Some(r.as_fn());
            panic!("provoked in a scope");
        })
    }));
    assert!(result.is_err());
    let f = f.lock().unwrap_or_else(|p| p.into_inner()).unwrap();
    assert_eq!(f(1), STALE);
    assert_eq!(value.load(SeqCst), 0);
}
