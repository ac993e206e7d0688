// SPDX-License-Identifier: MIT OR Apache-2.0

//! Retiring and the proof of quiet: promises 1 to 3.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::{Drops, wait_until, watchdog};
use ringback::{Pending, Quiet, Registration, callback_pool, retire_all};
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

type Function = extern "C" fn(i32) -> i32;
const STALE: i32 = -1;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 64>; fallback = STALE; reuse = oldest_first; }
callback_pool! { static OTHER: Pool<extern "C" fn(i32) -> i32, 64>; fallback = STALE; reuse = oldest_first; }

/// A listener that another thread is inside of until told to leave.
struct Inside {
    registration: Option<Registration<POOL>>,
    function: Function,
    leave: Arc<AtomicBool>,
    caller: Option<thread::JoinHandle<i32>>,
    drops: Arc<Drops>,
}

fn inside(then: impl FnOnce() + Send + Sync + 'static) -> Inside {
    let drops = Arc::new(Drops::default());
    let token = drops.token_then(then);
    let (entered, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (e, l) = (entered.clone(), leave.clone());
    let registration = POOL
        .register(move |x| {
            token.touch();
            e.store(true, SeqCst);
            wait_until("told to leave", || l.load(SeqCst));
            x
        })
        .unwrap();
    let function = registration.as_fn();
    let caller = Some(thread::spawn(move || function(7)));
    wait_until("inside", || entered.load(SeqCst));
    Inside { registration: Some(registration), function, leave, caller, drops }
}

impl Inside {
    fn retire(&mut self) -> ringback::Retired<POOL> {
        self.registration.take().unwrap().retire()
    }
    fn leave(&mut self) {
        self.leave.store(true, SeqCst);
        assert_eq!(self.caller.take().unwrap().join().unwrap(), 7);
    }
}

#[test]
fn an_idle_listener_is_quiet_and_dropped_at_once() {
    let drops = Drops::default();
    let token = drops.token();
    let r = POOL
        .register(move |x| {
            token.touch();
            x
        })
        .unwrap();
    let f = r.as_fn();
    assert_eq!(f(3), 3);
    let retired = r.retire();
    assert!(retired.is_quiet());
    assert_eq!(drops.count(), 1);
    drop(retired.wait().unwrap());
    assert_eq!(f(3), STALE);
}

#[test]
fn retiring_closes_at_once_and_quiet_comes_when_the_call_leaves() {
    let mut call = inside(|| ());
    let retired = call.retire();
    assert!(!retired.is_quiet());
    assert_eq!((call.function)(1), STALE, "no call enters after retire");
    let retired = retired.wait_timeout(Duration::from_millis(10)).unwrap_err();
    assert_eq!(call.drops.count(), 0, "dropped under a call");
    call.leave();
    let _alive = watchdog("wait");
    retired.wait().unwrap();
    assert_eq!(call.drops.count(), 1);
}

#[test]
fn wait_blocks_until_the_call_leaves() {
    let _alive = watchdog("wait");
    let mut call = inside(|| ());
    let retired = call.retire();
    let drops = call.drops.clone();
    let waiter = thread::spawn(move || {
        retired.wait().unwrap();
        drops.count()
    });
    thread::sleep(Duration::from_millis(20));
    assert!(!waiter.is_finished());
    call.leave();
    assert_eq!(waiter.join().unwrap(), 1);
}

#[test]
fn dropping_the_guard_waits_for_no_call_and_the_last_one_out_drops_the_listener() {
    let place = Arc::new(Mutex::new(None::<ThreadId>));
    let p = place.clone();
    let mut call = inside(move || *p.lock().unwrap() = Some(thread::current().id()));
    let caller = call.caller.as_ref().unwrap().thread().id();
    drop(call.registration.take());
    assert_eq!(call.drops.count(), 0);
    call.leave();
    assert_eq!(call.drops.count(), 1);
    assert_eq!(*place.lock().unwrap(), Some(caller), "the destructor runs on the foreign thread");
}

struct WokenOn(Mutex<Option<ThreadId>>);
impl Wake for WokenOn {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = Some(thread::current().id());
    }
}

#[test]
fn awaiting_needs_no_runtime_and_is_woken_by_the_last_call() {
    let mut call = inside(|| ());
    let caller = call.caller.as_ref().unwrap().thread().id();
    let woken = Arc::new(WokenOn(Mutex::new(None)));
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(call.retire().into_future());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(woken.0.lock().unwrap().is_none());
    call.leave();
    assert_eq!(*woken.0.lock().unwrap(), Some(caller));
    assert!(matches!(future.poll(&mut context), Poll::Ready(Ok(Quiet { .. }))));
    assert_eq!(call.drops.count(), 1);
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    common::quiet_panics();
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("provoked in a waker");
        }
    }
    let mut call = inside(|| ());
    let waker = Waker::from(Arc::new(Panics));
    let mut future = pin!(call.retire().into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    call.leave();
    assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn unregistering_from_inside_answers_still_inside() {
    let _alive = watchdog("unregister from inside");
    let drops = Drops::default();
    let token = drops.token();
    let mine = Arc::new(Mutex::new(None::<Registration<POOL>>));
    let (slot, answers) = (mine.clone(), Arc::new(Mutex::new(Vec::new())));
    let a = answers.clone();
    let r = POOL
        .register(move |x| {
            token.touch();
            let me = slot.lock().unwrap().take();
            if let Some(me) = me {
                let answer = me.unregister();
                a.lock().unwrap().push(matches!(answer, Err(Pending::StillInside(_))));
            }
            x
        })
        .unwrap();
    let f = r.as_fn();
    *mine.lock().unwrap() = Some(r);
    assert_eq!(f(1), 1);
    assert_eq!(*answers.lock().unwrap(), [true]);
    assert_eq!(drops.count(), 1);
    assert_eq!(f(1), STALE);
}

#[test]
fn two_threads_inside_one_listener_can_both_ask_and_both_leave() {
    let _alive = watchdog("two threads inside");
    for _ in 0..100 {
        let drops = Drops::default();
        let token = drops.token();
        let barrier = Arc::new(std::sync::Barrier::new(2));
        let r = POOL
            .register_with(|me| {
                move |x| {
                    token.touch();
                    barrier.wait();
                    i32::from(me.retire()) + x
                }
            })
            .unwrap();
        let f = r.as_fn();
        let other = thread::spawn(move || f(0));
        let sum = f(0) + other.join().unwrap();
        assert_eq!(sum, 1, "exactly one of them retires it");
        r.unregister().unwrap();
        assert_eq!(drops.count(), 1);
    }
}

#[test]
fn two_listeners_that_unregister_each_other_are_told_of_the_deadlock() {
    let _alive = watchdog("mutual unregister");
    for _ in 0..50 {
        let meet = Arc::new(std::sync::Barrier::new(2));
        let guards =
            Arc::new(Mutex::new((None::<Registration<POOL>>, None::<Registration<OTHER>>)));
        let (m, g) = (meet.clone(), guards.clone());
        let first = POOL
            .register(move |_| {
                m.wait();
                let victim = g.lock().unwrap().1.take().unwrap();
                match victim.unregister() {
                    Ok(_) => 1,
                    Err(Pending::WouldDeadlock(_)) => 2,
                    Err(_) => 3,
                }
            })
            .unwrap();
        let (m, g) = (meet.clone(), guards.clone());
        let second = OTHER
            .register(move |_| {
                m.wait();
                let victim = g.lock().unwrap().0.take().unwrap();
                match victim.unregister() {
                    Ok(_) => 1,
                    Err(Pending::WouldDeadlock(_)) => 2,
                    Err(_) => 3,
                }
            })
            .unwrap();
        let (f, g) = (first.as_fn(), second.as_fn());
        *guards.lock().unwrap() = (Some(first), Some(second));
        let other = thread::spawn(move || g(0));
        let mut answers = [f(0), other.join().unwrap()];
        answers.sort_unstable();
        assert_eq!(answers, [1, 2], "one waits, the other is told");
    }
}

#[test]
fn a_scope_in_a_circle_gets_its_quiet_and_the_other_side_is_told() {
    let _alive = watchdog("a scope in a circle");
    let (ready, go) = mpsc::channel::<()>();
    let inside_scope = Arc::new(AtomicBool::new(false));
    let target = Arc::new(Mutex::new(None::<Registration<POOL>>));
    let (t, i) = (target.clone(), inside_scope.clone());
    // `outer` runs a scope; another thread is inside the scope's listener and waits for `outer`.
    let outer = POOL
        .register(move |_| {
            let (t, i) = (t.clone(), i.clone());
            let answer = Arc::new(AtomicUsize::new(0));
            let a = answer.clone();
            let caller = Mutex::new(None);
            OTHER.scope(|s| {
                let r = s
                    .register(|_| {
                        i.store(true, SeqCst);
                        let outer = t.lock().unwrap().take().unwrap();
                        match outer.unregister() {
                            Err(Pending::WouldDeadlock(_)) => a.store(2, SeqCst),
                            _ => a.store(1, SeqCst),
                        }
                        0
                    })
                    .unwrap();
                let f = r.as_fn();
                *caller.lock().unwrap() = Some(thread::spawn(move || f(0)));
                wait_until("inside the scope's listener", || i.load(SeqCst));
                thread::sleep(Duration::from_millis(20));
            });
            caller.lock().unwrap().take().unwrap().join().unwrap();
            answer.load(SeqCst) as i32
        })
        .unwrap();
    let f = outer.as_fn();
    *target.lock().unwrap() = Some(outer);
    let answer = f(0);
    drop((ready, go));
    assert_eq!(answer, 2);
}

#[test]
fn a_destructor_may_register_retire_and_call() {
    let _alive = watchdog("a busy destructor");
    let done = Arc::new(AtomicUsize::new(0));
    let d = done.clone();
    let mut call = inside(move || {
        let r = POOL.register(|x| x + 1).unwrap();
        assert_eq!((r.as_fn())(1), 2);
        r.unregister().unwrap();
        d.store(1, SeqCst);
    });
    drop(call.registration.take());
    call.leave();
    assert_eq!(done.load(SeqCst), 1);
}

#[test]
fn many_are_retired_with_one_barrier() {
    let drops = Drops::default();
    let all: Vec<_> = (0..20)
        .map(|i| {
            let token = drops.token();
            OTHER
                .register(move |x| {
                    token.touch();
                    x + i
                })
                .unwrap()
        })
        .collect();
    let functions: Vec<_> = all.iter().map(Registration::as_fn).collect();
    let retired = retire_all(all);
    assert!(retired.is_quiet());
    assert!(functions.iter().all(|f| f(0) == STALE));
    assert_eq!(retired.wait().unwrap().len(), 20);
    assert_eq!(drops.count(), 20);
}

#[test]
fn awaiting_many_is_woken_until_the_last_of_them_is_quiet() {
    let _alive = watchdog("awaiting many");
    let mut first = inside(|| ());
    let mut last = inside(|| ());
    let idle = POOL.register(|x| x).unwrap();
    let all = [&mut first, &mut last].map(|call| call.registration.take().unwrap());
    let mut future = pin!(retire_all(all.into_iter().chain([idle])).into_future());
    let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    last.leave();
    assert!(poll().is_pending(), "the first is still inside");
    first.leave();
    let Poll::Ready(Ok(proofs)) = poll() else { panic!("all are quiet") };
    assert_eq!(proofs.len(), 3);
    assert_eq!((first.drops.count(), last.drops.count()), (1, 1));
}

#[test]
fn a_wake_comes_from_the_one_that_is_waited_for() {
    let _alive = watchdog("many, on an executor");
    let mut calls = [inside(|| ()), inside(|| ())];
    let retired = retire_all(calls.each_mut().map(|call| call.registration.take().unwrap()));
    let leaving = thread::spawn(move || {
        for call in &mut calls {
            thread::sleep(Duration::from_millis(20));
            call.leave();
        }
    });
    assert_eq!(futures_executor::block_on(retired.into_future()).expect("quiet").len(), 2);
    leaving.join().unwrap();
}

#[test]
fn a_replaced_listener_goes_and_no_call_is_lost() {
    let _alive = watchdog("replace under traffic");
    let drops = Drops::default();
    let mut r = POOL.register(|x| x).unwrap();
    let f = r.as_fn();
    let stop = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (stop, calls) = (stop.clone(), calls.clone());
            thread::spawn(move || {
                while !stop.load(Relaxed) {
                    assert_ne!(f(0), STALE, "a call fell between the two listeners");
                    calls.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    wait_until("traffic", || calls.load(Relaxed) > 1000);
    for i in 0..500 {
        let token = drops.token();
        let old = r
            .replace(move |x| {
                token.touch();
                x + i
            })
            .unwrap();
        old.wait().unwrap();
    }
    stop.store(true, SeqCst);
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(drops.count(), 499);
    r.unregister().unwrap();
    assert_eq!(drops.count(), 500);
}

#[test]
fn replacing_what_retired_itself_gives_the_listener_back() {
    let mut r = POOL
        .register_with(|me| {
            move |x| {
                me.retire();
                x
            }
        })
        .unwrap();
    assert_eq!((r.as_fn())(1), 1);
    let closed = r.replace(|x| x + 41).unwrap_err();
    assert_eq!((closed.listener)(1), 42);
}

#[test]
fn late_and_nested_thread_storage_still_calls_safely() {
    let _alive = watchdog("calls while thread storage is torn down");
    // Declared before the first call, so destroyed after ringback's own thread storage.
    struct Late(Function, mpsc::Sender<i32>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.1.send((self.0)(20)).unwrap();
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    let drops = Drops::default();
    let token = drops.token();
    let r = POOL
        .register(move |x| {
            token.touch();
            x + 1
        })
        .unwrap();
    let f = r.as_fn();
    let (told, answer) = mpsc::channel();
    thread::spawn(move || {
        LATE.with(|late| *late.borrow_mut() = Some(Late(f, told)));
        assert_eq!(f(1), 2);
    })
    .join()
    .unwrap();
    assert_eq!(answer.recv().unwrap(), 21);
    r.unregister().unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn unregister_inside_during_thread_storage_teardown_answers_still_inside() {
    let _alive = watchdog("unregister during teardown");
    struct Late(Function);
    impl Drop for Late {
        fn drop(&mut self) {
            (self.0)(0);
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    let mine = Arc::new(Mutex::new(None::<Registration<POOL>>));
    let answer = Arc::new(AtomicUsize::new(0));
    let (m, a) = (mine.clone(), answer.clone());
    let r = POOL
        .register(move |x| {
            if x == 0 {
                let me = m.lock().unwrap().take().unwrap();
                a.store(
                    if matches!(me.unregister(), Err(Pending::StillInside(_))) { 1 } else { 2 },
                    SeqCst,
                );
            }
            x
        })
        .unwrap();
    let f = r.as_fn();
    *mine.lock().unwrap() = Some(r);
    thread::spawn(move || {
        LATE.with(|late| *late.borrow_mut() = Some(Late(f)));
        f(1);
    })
    .join()
    .unwrap();
    assert_eq!(answer.load(SeqCst), 1);
}
