// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of listeners, and what each is answered when it cannot be called.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::{Drops, wait_until, watchdog};
use ringback::callback_pool;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::*};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

const STALE: i32 = -1;
const BUSY: i32 = -3;
const WRONG_THREAD: i32 = -4;

callback_pool! {
    static POOL: Pool<extern "C" fn(i32) -> i32, 64>;
    fallback = STALE; on_busy = BUSY; on_wrong_thread = WRONG_THREAD; reuse = oldest_first;
}
callback_pool! {
    // Of its own, since the test calls through pointers that others may have by then.
    static HAMMERED: Pool<extern "C" fn(i32) -> i32, 64>;
    fallback = STALE; on_wrong_thread = WRONG_THREAD; reuse = oldest_first;
}
callback_pool! {
    static WAITING: Pool<extern "C" fn(i32) -> i32, 8>;
    fallback = STALE; on_busy = wait(Duration::from_secs(100), BUSY);
}
callback_pool! {
    static IMPATIENT: Pool<extern "C" fn(i32) -> i32, 8>;
    fallback = STALE; on_busy = wait(Duration::from_millis(5), BUSY);
}
callback_pool! {
    static COUNTED: Pool<extern "C" fn(i32) -> i32, 8>;
    fallback = STALE; protection = counter; count_calls = true; on_wrong_thread = WRONG_THREAD;
}

#[test]
fn fn_listeners_run_on_any_number_of_threads_at_once() {
    let _alive = watchdog("both calls inside at once");
    let inside = Arc::new(Barrier::new(2));
    let meet = inside.clone();
    let r = POOL
        .register(move |x| {
            meet.wait();
            x
        })
        .unwrap();
    let f = r.as_fn();
    let other = thread::spawn(move || f(1));
    assert_eq!(f(2), 2);
    assert_eq!(other.join().unwrap(), 1);
}

#[test]
fn fn_mut_keeps_state_and_is_refused_on_re_entry() {
    let me = Arc::new(AtomicUsize::new(0));
    let pointer = me.clone();
    let mut calls = 0;
    let busy = POOL.stats().busy;
    let r = POOL
        .register_mut(move |depth| {
            calls += 1;
            if depth == 0 {
                return calls;
            }
            // SAFETY: the test stores the pool's own function there.
            let again: extern "C" fn(i32) -> i32 = unsafe {
                std::mem::transmute(std::ptr::with_exposed_provenance::<()>(pointer.load(SeqCst)))
            };
            again(0)
        })
        .unwrap();
    me.store(r.as_fn() as usize, SeqCst);
    assert_eq!((r.as_fn())(0), 1);
    assert_eq!((r.as_fn())(1), BUSY);
    assert_eq!((r.as_fn())(0), 3);
    assert!(POOL.stats().busy > busy);
}

#[test]
fn fn_mut_from_another_thread_is_answered_waits_or_gives_up() {
    let _alive = watchdog("a waiting FnMut call");
    for pool in 0..3 {
        let inside = Arc::new(AtomicBool::new(false));
        let leave = Arc::new(AtomicBool::new(false));
        let (i, l) = (inside.clone(), leave.clone());
        let listener = move |x: i32| {
            if x == 1 {
                i.store(true, SeqCst);
                wait_until("told to leave", || l.load(SeqCst));
            }
            x
        };
        let (f, _keep): (extern "C" fn(i32) -> i32, Box<dyn std::any::Any>) = match pool {
            0 => {
                let r = POOL.register_mut(listener).unwrap();
                (r.as_fn(), Box::new(r))
            }
            1 => {
                let r = IMPATIENT.register_mut(listener).unwrap();
                (r.as_fn(), Box::new(r))
            }
            _ => {
                let r = WAITING.register_mut(listener).unwrap();
                (r.as_fn(), Box::new(r))
            }
        };
        let holder = thread::spawn(move || f(1));
        wait_until("the other thread is inside", || inside.load(SeqCst));
        let answer = thread::spawn(move || f(7));
        if pool < 2 {
            assert_eq!(answer.join().unwrap(), BUSY);
            leave.store(true, SeqCst);
        } else {
            thread::sleep(Duration::from_millis(20));
            leave.store(true, SeqCst);
            assert_eq!(answer.join().unwrap(), 7);
        }
        assert_eq!(holder.join().unwrap(), 1);
    }
}

#[test]
fn many_waiting_fn_mut_calls_all_get_their_turn() {
    let _alive = watchdog("FnMut waiters");
    let mut sum = 0;
    let r = WAITING
        .register_mut(move |x| {
            sum += x;
            thread::yield_now();
            sum
        })
        .unwrap();
    let f = r.as_fn();
    let threads: Vec<_> =
        (0..4).map(|_| thread::spawn(move || (0..500).for_each(|_| assert!(f(1) > 0)))).collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(f(0), 2000);
}

#[test]
fn fn_once_is_called_once_and_retires_itself() {
    let drops = Drops::default();
    let token = drops.token();
    let r = POOL
        .register_once(move |x| {
            token.touch();
            drop(token);
            x
        })
        .unwrap();
    let f = r.as_fn();
    assert_eq!(f(5), 5);
    assert_eq!(drops.count(), 1);
    assert_eq!(f(5), STALE);
    r.unregister().unwrap();

    let drops = Drops::default();
    let token = drops.token();
    let r = POOL
        .register_once(move |x| {
            token.touch();
            x
        })
        .unwrap();
    r.unregister().unwrap();
    assert_eq!(drops.count(), 1, "an uncalled once-listener is dropped too");
}

#[test]
fn fn_once_under_a_race_is_called_once() {
    for _ in 0..200 {
        let calls = Arc::new(AtomicI32::new(0));
        let c = calls.clone();
        let r = POOL
            .register_once(move |x| {
                c.fetch_add(1, SeqCst);
                x
            })
            .unwrap();
        let f = r.as_fn();
        let threads: Vec<_> = (0..3).map(|_| thread::spawn(move || f(1))).collect();
        let answers: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(calls.load(SeqCst), 1);
        assert_eq!(answers.iter().filter(|a| **a == 1).count(), 1);
        assert_eq!(answers.iter().filter(|a| **a == STALE).count(), 2);
    }
}

#[test]
fn thread_bound_listeners_stay_on_their_thread() {
    let drops = Drops::default();
    let token = drops.token();
    let count = Rc::new(Cell::new(0));
    let c = count.clone();
    let mut r = POOL
        .register_local(move |x| {
            token.touch();
            c.set(c.get() + x);
            c.get()
        })
        .unwrap();
    let f = r.as_fn();
    assert_eq!(f(2), 2);
    assert_eq!(thread::spawn(move || f(2)).join().unwrap(), WRONG_THREAD);
    assert_eq!(count.get(), 2);
    let c = count.clone();
    let old = r
        .replace(move |x| {
            c.set(c.get() * x);
            c.get()
        })
        .unwrap();
    assert!(old.is_quiet());
    old.wait().unwrap();
    assert_eq!(drops.count(), 1);
    assert_eq!(f(10), 20);
    r.unregister().unwrap();
    assert_eq!(Rc::strong_count(&count), 1);
    assert_eq!(f(2), STALE);
}

#[test]
fn a_thread_bound_listener_retired_from_inside_is_dropped_when_it_leaves() {
    for pool in [true, false] {
        let drops = Drops::default();
        let token = drops.token();
        let dropped = Rc::new(RefCell::new(None::<Box<dyn FnOnce() -> usize>>));
        let slot = dropped.clone();
        let listener = move |x| {
            token.touch();
            // Retires its own registration, which the closure below owns.
            let count = slot.borrow_mut().take().map_or(99, |retire| retire());
            assert_eq!(count, 0, "dropped while inside");
            x
        };
        let count = drops.token();
        let seen = move |drops: &Drops| {
            count.touch();
            drops.count()
        };
        let probe = Rc::new(drops);
        let p = probe.clone();
        let f = if pool {
            let r = POOL.register_local(listener).unwrap();
            let f = r.as_fn();
            *dropped.borrow_mut() = Some(Box::new(move || {
                drop(r);
                seen(&p)
            }));
            f
        } else {
            let r = COUNTED.register_local(listener).unwrap();
            let f = r.as_fn();
            *dropped.borrow_mut() = Some(Box::new(move || {
                drop(r);
                seen(&p)
            }));
            f
        };
        assert_eq!(f(3), 3);
        assert_eq!(probe.count(), 2, "the listener's token, and the probe's own");
        assert_eq!(f(3), STALE);
    }
}

#[test]
fn wrong_threads_hammering_never_drop_or_touch_a_thread_bound_listener() {
    let _alive = watchdog("wrong threads");
    let stop = Arc::new(AtomicBool::new(false));
    let pointer = HAMMERED.reserve().unwrap();
    let f = pointer.as_fn();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    let answer = f(1);
                    assert!(answer == WRONG_THREAD || answer == STALE || answer == 1, "{answer}");
                }
            })
        })
        .collect();
    drop(pointer);
    for round in 0..300 {
        // Shared and thread-bound listeners in turn, so that late calls meet both kinds.
        let mine = thread::current().id();
        let guard = std::iter::repeat_with(|| {
            HAMMERED
                .register_local(move |x| {
                    assert_eq!(thread::current().id(), mine);
                    x
                })
                .unwrap()
        })
        .take(if round % 10 == 0 { 60 } else { 1 })
        .collect::<Vec<_>>();
        drop(guard);
        let shared = HAMMERED.register(|x| x).unwrap();
        assert!(matches!((shared.as_fn())(1), 1));
        drop(shared);
    }
    stop.store(true, SeqCst);
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn static_listeners_need_no_box() {
    fn double(x: i32) -> i32 {
        x * 2
    }
    static DOUBLE: fn(i32) -> i32 = double;
    let r = POOL.register_static(&DOUBLE).unwrap();
    assert_eq!((r.as_fn())(4), 8);
    r.unregister().unwrap();
}

#[test]
fn counted_pools_call_count_and_retire_like_the_others() {
    let drops = Drops::default();
    let token = drops.token();
    let r = COUNTED
        .register(move |x| {
            token.touch();
            x + 1
        })
        .unwrap();
    let f = r.as_fn();
    assert_eq!((0..10).map(|x| f(x)).sum::<i32>(), 55);
    assert!(COUNTED.stats().calls.unwrap() >= 10);
    assert_eq!(COUNTED.describe(f).unwrap().calls, Some(10));
    r.unregister().unwrap();
    assert_eq!(drops.count(), 1);
    assert_eq!(f(0), STALE);
}

#[test]
fn calls_nest_deeper_than_a_record_has_cells() {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let drops = Drops::default();
    let token = drops.token();
    let r = POOL
        .register(move |depth| {
            token.touch();
            if depth == 0 {
                return 0;
            }
            // SAFETY: the test stores the pool's own function there.
            let f: extern "C" fn(i32) -> i32 = unsafe {
                std::mem::transmute(std::ptr::with_exposed_provenance::<()>(NEXT.load(SeqCst)))
            };
            f(depth - 1) + 1
        })
        .unwrap();
    NEXT.store(r.as_fn() as usize, SeqCst);
    for depth in [1, 14, 15, 16, 17, 40, 200] {
        assert_eq!((r.as_fn())(depth), depth);
    }
    r.unregister().unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_listener_that_retires_itself_deep_inside_is_dropped_once_at_the_end() {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let drops = Drops::default();
    let token = drops.token();
    let count = drops.token();
    let r = POOL
        .register_with(|me| {
            move |depth: i32| {
                token.touch();
                if depth == 0 {
                    assert!(me.retire() && !me.retire());
                    return 0;
                }
                // SAFETY: the test stores the pool's own function there.
                let f: extern "C" fn(i32) -> i32 = unsafe {
                    std::mem::transmute(std::ptr::with_exposed_provenance::<()>(NEXT.load(SeqCst)))
                };
                let answer = f(depth - 1);
                SEEN.fetch_add(1, SeqCst);
                answer + 1
            }
        })
        .unwrap();
    let f = r.as_fn();
    NEXT.store(f as usize, SeqCst);
    assert_eq!(f(30), 30);
    assert_eq!(SEEN.load(SeqCst), 30);
    assert_eq!(drops.count(), 1);
    assert_eq!(f(0), STALE);
    r.unregister().unwrap();
    drop(count);
}

#[test]
fn a_reserved_pointer_is_stale_until_it_is_bound() {
    let slot = POOL.reserve().unwrap();
    let f = slot.as_fn();
    assert_eq!(f(1), STALE);
    let r = slot.bind(|x| x);
    assert_eq!(f(1), 1);
    drop(r);
    let slot = POOL.reserve().unwrap();
    let f = slot.as_fn();
    let mut n = 0;
    let r = slot.bind_mut(move |x| {
        n += x;
        n
    });
    assert_eq!((f(1), f(1)), (1, 2));
    drop(r);
    let slot = POOL.reserve().unwrap();
    let f = slot.as_fn();
    drop(slot);
    assert_eq!(f(1), STALE);
}
