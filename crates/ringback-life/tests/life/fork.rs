// SPDX-License-Identifier: MIT OR Apache-2.0

//! Fork: registrations live in parent and child; what other threads were doing does not.

use crate::own_process::{fork, is_this, wait_for};
use crate::{Function, life_start_callers};
use ringback::{Pending, callback_pool, retire_all};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 64>; fallback = -1; reuse = oldest_first; }

callback_pool! {
    static COUNTED: Pool<extern "C" fn(i32) -> i32, 4>;
    fallback = -1;
    protection = counter;
}

static CALLS: AtomicU64 = AtomicU64::new(0);

#[test]
fn registrations_live_on_in_parent_and_child() {
    if std::env::var_os("RINGBACK_RUNNER").is_some() {
        return println!("not under qemu-user, which fails to fork a process of many busy threads");
    }
    if !is_this("fork::registrations_live_on_in_parent_and_child") {
        return;
    }
    let mine = POOL.register(|x| x + 1).unwrap();
    let function = mine.as_fn();
    // SAFETY: the function is never unloaded and takes any number.
    unsafe { life_start_callers(function, 2, &CALLS) };
    while CALLS.load(SeqCst) < 1000 {
        thread::yield_now();
    }
    let mine = Some(mine);
    for round in 0..200 {
        let child = fork(|| {
            assert_eq!(function(round), round + 1);
            let other = POOL.register(|x| x * 3).unwrap();
            let called = other.as_fn();
            assert_eq!(called(5), 15);
            assert_eq!(thread::spawn(move || called(6)).join().unwrap(), 18);
            other.unregister().unwrap();
            assert_eq!(called(5), -1);
        });
        wait_for(child);
    }
    let before = CALLS.load(SeqCst);
    while CALLS.load(SeqCst) < before + 1000 {
        thread::yield_now();
    }
    assert_eq!(function(1), 2);
    std::mem::forget(mine); // the C++ threads call for ever
}

#[test]
fn a_listener_that_a_lost_thread_was_inside_of_is_kept_and_said_to_be_so() {
    if !is_this("fork::a_listener_that_a_lost_thread_was_inside_of_is_kept_and_said_to_be_so") {
        return;
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let token = Counted(dropped.clone());
    let (entered, is_inside) = mpsc::channel();
    let stay = Arc::new(AtomicBool::new(true));
    let (entered, staying) = (std::sync::Mutex::new(entered), stay.clone());
    let busy = POOL
        .register(move |x| {
            let _ = &token;
            entered.lock().unwrap().send(()).unwrap();
            while staying.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            x
        })
        .unwrap();
    let idle = POOL.register(|x| x + 1).unwrap();
    let function: Function = busy.as_fn();
    let inside = thread::spawn(move || function(3));
    is_inside.recv().unwrap();

    let mut both = Some((busy, idle));
    let child = fork(std::panic::AssertUnwindSafe(|| {
        let (busy, idle) = both.take().unwrap();
        idle.unregister().unwrap();
        let Err(Pending::Vanished(retired)) = busy.unregister() else { panic!("not vanished") };
        assert_eq!(function(3), -1, "closed all the same");
        let retired = retired.wait_timeout(Duration::from_millis(10)).unwrap_err();
        assert!(!retired.is_quiet());
        retired.detach();
        assert_eq!(dropped.load(SeqCst), 0);
    }));
    wait_for(child);

    let (busy, idle) = both.take().unwrap();
    stay.store(false, SeqCst);
    busy.unregister().unwrap();
    assert_eq!(inside.join().unwrap(), 3);
    assert_eq!(dropped.load(SeqCst), 1);
    idle.unregister().unwrap();
}

#[test]
fn so_is_one_that_a_lost_thread_was_counted_in() {
    if !is_this("fork::so_is_one_that_a_lost_thread_was_counted_in") {
        return;
    }
    let (entered, is_inside) = mpsc::channel();
    let stay = Arc::new(AtomicBool::new(true));
    let staying = stay.clone();
    let busy = COUNTED
        .register(move |x| {
            entered.send(()).unwrap();
            while staying.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            x
        })
        .unwrap();
    // SAFETY: the child runs what follows, and nothing else of this program.
    let forking = COUNTED.register(|_| unsafe { libc::fork() }).unwrap();
    let (function, fork_inside) = (busy.as_fn(), forking.as_fn());
    let inside = thread::spawn(move || function(3));
    is_inside.recv().unwrap();

    let child = fork_inside(0);
    if child == 0 {
        // SAFETY: no handler is installed; the child is killed if it hangs.
        unsafe { libc::alarm(60) };
        let own = forking.unregister().is_ok();
        let told = matches!(busy.unregister(), Err(Pending::Vanished(_)));
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!(own && told && function(3) == -1))) };
    }
    wait_for(child);
    stay.store(false, SeqCst);
    busy.unregister().unwrap();
    assert_eq!(inside.join().unwrap(), 3);
    forking.unregister().unwrap();
}

#[test]
fn a_listener_that_a_lost_thread_was_dropping_is_said_to_be_so() {
    if is_this("fork::a_listener_that_a_lost_thread_was_dropping_is_said_to_be_so") {
        fork_while_another_thread_drops(false);
    }
}

#[test]
fn so_is_one_that_replace_brought() {
    if is_this("fork::so_is_one_that_replace_brought") {
        fork_while_another_thread_drops(true);
    }
}

/// `replaced`: the listener stands in the place of one that was registered.
fn fork_while_another_thread_drops(replaced: bool) {
    struct Slow(mpsc::Sender<()>, Arc<AtomicBool>);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
            while !self.1.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    let (entered, is_inside) = mpsc::channel();
    let (dropping, is_dropping) = mpsc::channel();
    let leave = Arc::new(AtomicBool::new(false));
    let go_on = Arc::new(AtomicBool::new(false));
    let (slow, left) = (Slow(dropping, go_on.clone()), leave.clone());
    let listener = move |x| {
        let _ = &slow;
        entered.send(()).unwrap();
        while !left.load(SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        x
    };
    let mine = if replaced {
        let mut mine = POOL.register(|x| x).unwrap();
        mine.replace(|x| x).unwrap().wait().unwrap(); // a box of the slot that is in no use
        mine.replace(listener).unwrap().wait().unwrap();
        mine
    } else {
        POOL.register(listener).unwrap()
    };
    let function = mine.as_fn();
    let inside = thread::spawn(move || function(3));
    is_inside.recv().unwrap();
    // The last one out drops it.
    let mut retired = Some(mine.retire());
    leave.store(true, SeqCst);
    is_dropping.recv().unwrap();
    let child = fork(std::panic::AssertUnwindSafe(|| {
        let Err(Pending::Vanished(retired)) = retired.take().unwrap().wait() else {
            panic!("nobody is left to drop it")
        };
        retired.detach();
        let other = POOL.register(|x| x + 1).unwrap();
        assert_eq!(other.as_fn()(1), 2);
        other.unregister().unwrap();
    }));
    wait_for(child);
    go_on.store(true, SeqCst);
    retired.take().unwrap().wait().unwrap();
    assert_eq!(inside.join().unwrap(), 3);
}

#[test]
fn others_enter_leave_sweep_and_drop_meanwhile() {
    if std::env::var_os("RINGBACK_RUNNER").is_some() {
        return println!("not under qemu-user, which fails to fork a process of many busy threads");
    }
    if !is_this("fork::others_enter_leave_sweep_and_drop_meanwhile") {
        return;
    }
    let mut exchanged = POOL.register(|x| x + 1).unwrap();
    let function = exchanged.as_fn();
    // SAFETY: the function is never unloaded and takes any number.
    unsafe { life_start_callers(function, 2, &CALLS) };
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let exchanging = thread::spawn(move || {
        let mut times = 0;
        while !stopped.load(SeqCst) {
            exchanged.replace(|x| x + 1).unwrap().wait().unwrap();
            times += 1;
        }
        std::mem::forget(exchanged); // the C++ threads call for ever
        times
    });
    let (called, stopped) = (POOL.register(|x| x + 2).unwrap(), stop.clone());
    let other = called.as_fn();
    let calling = thread::spawn(move || {
        while !stopped.load(SeqCst) {
            assert_eq!(other(1), 3);
        }
    });
    let mut called = Some(called);
    for round in 0..200 {
        let child = fork(std::panic::AssertUnwindSafe(|| {
            assert_eq!(function(round), round + 1);
            // Whether the lost thread was inside or not: this comes to an end.
            let ended = called.take().unwrap().unregister();
            assert!(matches!(ended, Ok(_) | Err(Pending::Vanished(_))), "{ended:?}");
            assert_eq!(other(1), -1);
            let new = POOL.register(|x| x * 3).unwrap();
            assert_eq!(new.as_fn()(5), 15);
            new.unregister().unwrap();
        }));
        wait_for(child);
    }
    stop.store(true, SeqCst);
    assert!(exchanging.join().unwrap() > 0);
    calling.join().unwrap();
    called.take().unwrap().unregister().unwrap();
}

#[test]
fn a_child_finds_no_lock_taken_while_others_register() {
    if !is_this("fork::a_child_finds_no_lock_taken_while_others_register") {
        return;
    }
    drop(POOL.register(|x| x).unwrap()); // the first one prepares for forks
    let stop = Arc::new(AtomicBool::new(false));
    let registering: Vec<_> = (0..3)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    let all: Vec<_> = (0..8).map(|_| POOL.register(|x| x + 1).unwrap()).collect();
                    assert_eq!(all[0].as_fn()(1), 2);
                    retire_all(all).wait().unwrap();
                }
            })
        })
        .collect();
    for _ in 0..200 {
        let child = fork(|| {
            for _ in 0..20 {
                let mine = POOL.register(|x| x + 2).unwrap();
                assert_eq!(mine.as_fn()(1), 3);
                mine.unregister().unwrap();
            }
        });
        wait_for(child);
    }
    stop.store(true, SeqCst);
    for thread in registering {
        thread.join().unwrap();
    }
}

#[test]
fn after_init_a_fork_may_meet_the_first_registration() {
    for _ in 0..20 {
        if is_this("fork::after_init_a_fork_may_meet_the_first_registration") {
            ringback::init(ringback::Protection::Auto).unwrap();
            let both = Arc::new(Barrier::new(2));
            let go = both.clone();
            let registering = thread::spawn(move || {
                go.wait();
                drop(POOL.register(|x| x).unwrap());
            });
            both.wait();
            let child = fork(|| {
                let mine = POOL.register(|x| x + 1).unwrap();
                assert_eq!(mine.as_fn()(1), 2);
                mine.unregister().unwrap();
            });
            wait_for(child);
            return registering.join().unwrap();
        }
    }
}

#[test]
fn records_are_as_free_in_the_child_as_in_the_parent() {
    if !is_this("fork::records_are_as_free_in_the_child_as_in_the_parent") {
        return;
    }
    let mine = POOL.register(|x| x + 1).unwrap();
    let function: Function = mine.as_fn();
    assert_eq!(function(0), 1, "this thread has a record of its own");
    // Others lie free, or belong to threads that live on in the parent only.
    thread::spawn(move || assert_eq!(function(1), 2)).join().unwrap();
    let (ready, go) = mpsc::channel();
    let (end, stay) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        assert_eq!(function(2), 3);
        ready.send(()).unwrap();
        let _ = stay.recv();
    });
    go.recv().unwrap();
    let mut mine = Some(mine);
    let child = fork(std::panic::AssertUnwindSafe(|| {
        assert_eq!(function(3), 4);
        // qemu-user fails to start a thread in the child of a process that has several.
        if std::env::var_os("RINGBACK_RUNNER").is_none() {
            thread::spawn(move || assert_eq!(function(4), 5)).join().unwrap();
        }
        mine.take().unwrap().unregister().unwrap();
        assert_eq!(function(5), -1);
    }));
    wait_for(child);
    drop(end);
    other.join().unwrap();
    mine.take().unwrap().unregister().unwrap();
}

#[test]
fn a_thread_bound_listener_that_has_ended_may_fork_and_is_dropped_on_both_sides() {
    const NAME: &str =
        "fork::a_thread_bound_listener_that_has_ended_may_fork_and_is_dropped_on_both_sides";
    if !is_this(NAME) {
        return;
    }
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    let place = Rc::new(RefCell::new(None));
    let (registration, token) = (place.clone(), Counted);
    let listener = move |_| {
        let _ = &token;
        drop(registration.borrow_mut().take()); // retired, with this call inside
        // SAFETY: the child runs what follows, and nothing else of this program.
        unsafe { libc::fork() }
    };
    let registered = POOL.register_local(listener).unwrap();
    let function = registered.as_fn();
    *place.borrow_mut() = Some(registered);
    let child = function(0);
    assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    let dropped = DROPPED.load(SeqCst) == 1 && function(0) == -1;
    if child == 0 {
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!dropped)) };
    }
    wait_for(child);
    assert!(dropped);
}
