// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pooled functions whose copies are counted.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, unreachable_pub, reason = "a test")]

mod common;

use common::watchdog;
use ringback::abi::RbToken;
use ringback::{Pending, SlotState, Tracked};
use std::collections::HashMap;
use std::future::IntoFuture;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a C++ lambda captures: the pointer and a token, copied and destroyed together.
struct Function {
    call: extern "C" fn(u64) -> u64,
    token: RbToken,
}

// SAFETY: by the ABI a token may be used from any thread.
unsafe impl Send for Function {}

impl Clone for Function {
    fn clone(&self) -> Self {
        // SAFETY: this copy holds a reference.
        unsafe { self.token.retain.expect("set")(self.token.context) };
        Function { ..*self }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // SAFETY: this copy's reference, released once.
        unsafe { self.token.release.expect("set")(self.token.context) };
    }
}

macro_rules! pool {
    ($slots:literal) => {
        ringback::callback_pool! {
            static POOL: Pool<extern "C" fn(value: u64) -> u64, $slots>;
            fallback = u64::MAX;
        }
        fn function(tracked: &Tracked<POOL>) -> Function {
            Function { call: tracked.as_fn(), token: tracked.token() }
        }
    };
}

#[test]
fn the_slot_is_confirmed_when_the_last_copy_is_gone() {
    pool!(1);
    let _watchdog = watchdog("copies");
    let tracked = POOL.register(|value| value + 1).expect("a slot").track();
    let mut copies: HashMap<u32, Function> = HashMap::new();
    let first = function(&tracked);
    for key in 0..10 {
        copies.insert(key, first.clone());
    }
    drop(first);
    assert_eq!((copies[&3].call)(1), 2);
    let retired = tracked.retire();
    assert!(retired.is_quiet() && !retired.is_forgotten());
    assert_eq!((copies[&3].call)(1), u64::MAX, "closed");
    assert!(POOL.register(|_| 0).is_err(), "a copy is left");
    let retired = retired.wait_timeout(Duration::from_millis(20)).expect_err("copies are left");
    let last = copies.remove(&7).expect("there");
    drop(copies);
    let retired = retired.try_wait().expect_err("a copy is left");
    assert!(!retired.is_forgotten());
    drop(last);
    assert!(retired.is_forgotten());
    retired.wait().expect("nobody is inside");
    let next = POOL.register(|value| value * 2).expect("confirmed by the last copy");
    assert_eq!(next.as_fn()(4), 8);
}

#[test]
fn the_guard_may_go_first_and_the_last_copy_still_confirms() {
    pool!(1);
    let tracked = POOL.register(|value| value).expect("a slot").track();
    let copy = function(&tracked);
    drop(tracked);
    assert_ne!(POOL.describe(copy.call).expect("ours").state, SlotState::Free);
    drop(copy);
    drop(POOL.register(|value| value).expect("free"));
}

#[test]
fn without_a_copy_retiring_is_enough() {
    pool!(1);
    for _ in 0..3 {
        POOL.register(|value| value).expect("a slot").track().unregister().expect("quiet");
    }
    let tracked = POOL.register(|value| value).expect("a slot").track();
    drop(function(&tracked)); // the foreign side has forgotten it, and gets another
    let again = function(&tracked);
    assert_eq!((again.call)(5), 5);
    let retired = tracked.retire();
    assert!(!retired.is_forgotten());
    drop(again);
    retired.wait().expect("quiet");
}

#[test]
fn unregistering_waits_for_copies_in_queues_of_other_threads() {
    pool!(2);
    let _watchdog = watchdog("copies");
    let tracked = POOL.register(|value| value).expect("a slot").track();
    let (queue, queued) = mpsc::channel::<Function>();
    for _ in 0..20 {
        queue.send(function(&tracked)).expect("the worker runs");
    }
    drop(queue);
    let worker = thread::spawn(move || {
        let answers: Vec<u64> = queued
            .into_iter()
            .map(|copy| {
                thread::sleep(Duration::from_millis(2));
                (copy.call)(1)
            })
            .collect();
        assert_eq!(answers.last(), Some(&u64::MAX), "a queued copy answers the fallback");
    });
    tracked.unregister().expect("quiet");
    worker.join().expect("no panic");
}

#[test]
fn awaiting_needs_no_runtime() {
    pool!(1);
    let _watchdog = watchdog("copies");
    let tracked = POOL.register(|value| value).expect("a slot").track();
    let copy = function(&tracked);
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        drop(copy);
    });
    futures_executor::block_on(tracked.retire().into_future()).expect("quiet");
    other.join().expect("no panic");
    drop(POOL.register(|value| value).expect("free"));
}

#[test]
fn inside_its_own_call_it_says_so_and_is_confirmed_later() {
    pool!(1);
    let kept: Arc<Mutex<Option<Tracked<POOL>>>> = Arc::default();
    let inside = Arc::clone(&kept);
    let tracked = POOL
        .register(move |value| {
            let me = inside.lock().unwrap().take().expect("kept");
            assert!(matches!(me.unregister(), Err(Pending::StillInside(_))));
            value
        })
        .expect("a slot")
        .track();
    let copy = function(&tracked);
    *kept.lock().unwrap() = Some(tracked);
    assert_eq!((copy.call)(3), 3);
    drop(copy);
    drop(POOL.register(|value| value).expect("free"));
}

#[test]
fn it_is_looked_at_without_waiting_and_may_be_left_alone() {
    pool!(1);
    let kept: Arc<Mutex<Option<Tracked<POOL>>>> = Arc::default();
    let inside = Arc::clone(&kept);
    let retired = Arc::new(Mutex::new(None));
    let put = Arc::clone(&retired);
    let tracked = POOL
        .register(move |value| {
            let me = inside.lock().unwrap().take().expect("kept").retire();
            assert!(me.is_forgotten());
            *put.lock().unwrap() = Some(me.try_wait().expect_err("this call is inside"));
            value
        })
        .expect("a slot")
        .track();
    let call = tracked.as_fn();
    *kept.lock().unwrap() = Some(tracked);
    assert_eq!(call(3), 3);
    let retired = retired.lock().unwrap().take().expect("put there");
    retired.try_wait().expect("the call has left");

    let tracked = POOL.register(|value| value).expect("free").track();
    let copy = function(&tracked);
    tracked.retire().detach();
    assert!(POOL.register(|_| 0).is_err(), "a copy is left");
    drop(copy);
    drop(POOL.register(|value| value).expect("free"));
}
