// SPDX-License-Identifier: MIT OR Apache-2.0

//! Promise 5: no panic unwinds into C, and the slot stays usable.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::{Drops, Provoked, quiet_panics};
use ringback::{Event, Observer, callback_pool};
use std::panic::{catch_unwind, panic_any};
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 32>; fallback = -1; on_panic = -2; reuse = oldest_first; }
callback_pool! { static PROPAGATES: Pool<extern "C-unwind" fn(i32) -> i32, 4>; fallback = -1; on_panic = propagate; }

static PANICKED: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

struct Counts;
impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::ListenerPanicked { pool, message, .. } => {
                assert!(pool.ends_with("POOL") || pool.ends_with("PROPAGATES"), "{pool}");
                assert!(!message.is_empty());
                PANICKED.fetch_add(1, SeqCst);
            }
            Event::DropPanicked { .. } => {
                DROPPED.fetch_add(1, SeqCst);
            }
            _ => {}
        }
        assert!(!event.to_string().is_empty());
        panic!("provoked in the observer");
    }
}

fn observe() {
    quiet_panics();
    let _ = ringback::set_observer(&Counts);
}

#[test]
fn panics_by_the_thousand_in_listeners_payloads_and_slot_zero() {
    observe();
    let before = (POOL.stats().panicked, PANICKED.load(SeqCst));
    // Every slot, so slot 0 as well.
    let all: Vec<_> = (0..20)
        .map(|_| {
            POOL.register(|x| match x % 3 {
                0 => panic!("provoked in a listener"),
                1 => panic_any(Provoked),
                _ => x,
            })
            .unwrap()
        })
        .collect();
    let functions: Vec<_> = all.iter().map(|r| r.as_fn()).collect();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let functions = functions.clone();
            thread::spawn(move || {
                for x in 0..300 {
                    for f in &functions {
                        assert_eq!(f(x), if x % 3 == 2 { x } else { -2 });
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert!(POOL.stats().panicked - before.0 >= 2 * 200 * 20);
    assert!(PANICKED.load(SeqCst) - before.1 >= 2 * 200 * 20);
    for r in all {
        r.unregister().unwrap();
    }
}

#[test]
fn a_panicking_fn_mut_is_free_again() {
    observe();
    let mut n = 0;
    let r = POOL
        .register_mut(move |x| {
            n += 1;
            assert!(x != 0, "provoked");
            n
        })
        .unwrap();
    assert_eq!([(r.as_fn())(0), (r.as_fn())(1), (r.as_fn())(0), (r.as_fn())(1)], [-2, 2, -2, 4]);
    let once = POOL.register_once(|_| -> i32 { panic!("provoked") }).unwrap();
    assert_eq!([(once.as_fn())(0), (once.as_fn())(0)], [-2, -1]);
}

struct PanicsInDrop(#[allow(dead_code)] common::Counted);
impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any(Provoked);
    }
}

#[test]
fn a_listeners_destructor_may_panic() {
    observe();
    let drops = Drops::default();
    let before = DROPPED.load(SeqCst);
    for _ in 0..100 {
        let bomb = PanicsInDrop(drops.token());
        let r = POOL
            .register(move |x| {
                let _ = &bomb;
                x
            })
            .unwrap();
        let f = r.as_fn();
        assert_eq!(f(1), 1);
        r.unregister().unwrap();
        assert_eq!(f(1), -1);
    }
    assert_eq!(drops.count(), 100, "what the panicking value holds is dropped too");
    assert!(DROPPED.load(SeqCst) - before >= 100);
}

#[test]
fn a_make_function_that_panics_gives_the_slot_back() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; reuse = oldest_first; }
    observe();
    for _ in 0..100 {
        let result =
            catch_unwind(|| POOL.register_with(|_me| -> fn(i32) -> i32 { panic!("provoked") }));
        assert!(result.is_err());
    }
    assert_eq!(POOL.stats().census.reserved, 0);
}

#[test]
fn propagation_unwinds_into_a_c_unwind_caller_and_leaves_the_slot_first() {
    observe();
    let drops = Drops::default();
    let token = drops.token();
    let r = PROPAGATES
        .register(move |x| {
            token.touch();
            assert!(x != 0, "provoked");
            x
        })
        .unwrap();
    let f = r.as_fn();
    for _ in 0..100 {
        assert!(catch_unwind(|| f(0)).is_err());
        assert_eq!(f(1), 1);
    }
    // Had a panic left the call recorded as inside, this would not be quiet.
    r.unregister().unwrap();
    assert_eq!(drops.count(), 1);
}

/// What C passes by value and nobody takes is dropped by us.
struct Loud;
impl Drop for Loud {
    fn drop(&mut self) {
        panic!("provoked in an argument's destructor");
    }
}
callback_pool! { static BY_VALUE: Pool<unsafe extern "C-unwind" fn(Box<Loud>) -> i32, 2>; fallback = -1; on_wrong_thread = -4; }

#[test]
fn an_argument_whose_destructor_panics_unwinds_from_no_call() {
    observe();
    let dropped = DROPPED.load(SeqCst);
    let takes = |argument| {
        std::mem::forget::<Box<Loud>>(argument);
        0
    };
    let registration = BY_VALUE.register_local(takes).unwrap();
    let f = registration.as_fn();
    // SAFETY: the box is the function's.
    let call = move || unsafe { f(Box::new(Loud)) };
    assert_eq!(thread::spawn(call).join().expect("it unwound"), -4);
    drop(registration);
    assert_eq!(catch_unwind(call).expect("it unwound"), -1, "a stale call");
    assert_eq!(BY_VALUE.stats().panicked, 2);
    assert!(DROPPED.load(SeqCst) - dropped >= 2, "beside those of other tests");
}
