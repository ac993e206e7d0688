// SPDX-License-Identifier: MIT OR Apache-2.0

//! A signal handler calls in, at any instruction of a call under way.

use crate::own_process::is_this;
use crate::{Function, run};
use ringback::{Mailbox, OverflowPolicy, Take, callback_pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering::*};
use std::thread;
use std::time::{Duration, Instant};

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 64>; fallback = -1; reuse = oldest_first; }

static FUNCTION: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());
static HANDLED: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

extern "C" fn handler(_: libc::c_int) {
    // SAFETY: set to a thunk before the handler is installed.
    let function = unsafe { std::mem::transmute::<*mut (), Function>(FUNCTION.load(SeqCst)) };
    // Its listener may have been exchanged meanwhile, but then by one that answers the same.
    if function(10) != 11 {
        WRONG.fetch_add(1, SeqCst);
    }
    HANDLED.fetch_add(1, SeqCst);
}

#[test]
fn a_handler_interrupts_calls_and_retirements_anywhere() {
    if !is_this("signals::a_handler_interrupts_calls_and_retirements_anywhere") {
        return;
    }
    let alive = Arc::new(AtomicU64::new(0));
    struct Alive(Arc<AtomicU64>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    let listener = |alive: &Arc<AtomicU64>| {
        alive.fetch_add(1, SeqCst);
        let token = Alive(alive.clone());
        move |x| {
            let _ = &token;
            x + 1
        }
    };
    let mut mine = POOL.register(listener(&alive)).unwrap();
    let function = mine.as_fn();
    FUNCTION.store(function as *mut (), SeqCst);
    // SAFETY: the handler only calls the function, which is what is tested to be safe.
    unsafe { libc::signal(libc::SIGPROF, handler as *const () as libc::sighandler_t) };

    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let worker = thread::spawn(move || {
        ringback::attach_thread(); // a first call inside a handler would not be safe
        let every = libc::timeval { tv_sec: 0, tv_usec: 100 };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        // SAFETY: plain data; the signal has a handler.
        unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) };
        let mut calls = 0_u64;
        while !stopped.load(SeqCst) {
            assert_eq!(function(1), 2);
            calls += 1;
        }
        calls
    });
    // This thread is interrupted too, while it exchanges the listener under both.
    ringback::attach_thread();
    // SAFETY: another thread of this process, which lives.
    let interrupt = |thread| unsafe { libc::pthread_kill(thread, libc::SIGPROF) };
    let target = std::os::unix::thread::JoinHandleExt::as_pthread_t(&worker);
    let begin = Instant::now();
    let mut exchanged = 0;
    while begin.elapsed() < Duration::from_secs(3) || HANDLED.load(SeqCst) < 1000 {
        mine.replace(listener(&alive)).unwrap().wait().unwrap();
        interrupt(target);
        exchanged += 1;
    }
    stop.store(true, SeqCst);
    // SAFETY: no timer any more; zero switches it off.
    unsafe {
        let never: libc::itimerval = std::mem::zeroed();
        libc::setitimer(libc::ITIMER_PROF, &raw const never, std::ptr::null_mut());
    }
    assert!(worker.join().unwrap() > 0 && exchanged > 0);
    assert_eq!(WRONG.load(SeqCst), 0);
    assert_eq!(alive.load(SeqCst), 1, "each exchanged listener is dropped once");
    // A late signal still finds a listener or the fallback; it is not counted wrong after this.
    mine.unregister().unwrap();
    assert_eq!(alive.load(SeqCst), 0);
}

/// The next number of the worker and of the handler that interrupts it: even and odd messages.
static NEXT: [AtomicI32; 2] = [const { AtomicI32::new(0) }; 2];
static REJECTED: AtomicU64 = AtomicU64::new(0);

/// Sends the next message of one of the two, which goes on to the one after only if it was accepted.
fn send(side: usize) {
    // SAFETY: set to a thunk before.
    let function = unsafe { std::mem::transmute::<*mut (), Function>(FUNCTION.load(SeqCst)) };
    let number = NEXT[side].load(Relaxed);
    if function(number * 2 + side as i32) == 0 {
        NEXT[side].store(number + 1, Relaxed);
    } else {
        REJECTED.fetch_add(1, Relaxed);
    }
}

extern "C" fn sending_handler(_: libc::c_int) {
    send(1);
    HANDLED.fetch_add(1, SeqCst);
}

#[test]
fn a_handler_pushes_into_the_mailbox_that_its_thread_is_pushing_into() {
    if !is_this("signals::a_handler_pushes_into_the_mailbox_that_its_thread_is_pushing_into") {
        return;
    }
    let mut expected = [0, 0];
    let (mine, deliver) = POOL
        .register_async(
            Mailbox::bounded(100).preallocated().overflow(OverflowPolicy::Reject(-2)),
            |x| Take::Accept(x, 0),
            async move |x| {
                let side = usize::from(x % 2 == 1);
                assert_eq!(x / 2, expected[side], "lost, doubled or out of order");
                expected[side] += 1;
            },
        )
        .unwrap();
    FUNCTION.store(mine.as_fn() as *mut (), SeqCst);
    let deliver = thread::spawn(move || run(deliver));
    // SAFETY: the handler calls in, which is what is tested to be safe; the worker is attached.
    unsafe { libc::signal(libc::SIGUSR1, sending_handler as *const () as libc::sighandler_t) };
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, (attached, go)) = (stop.clone(), std::sync::mpsc::channel());
    let worker = thread::spawn(move || {
        ringback::attach_thread();
        attached.send(()).unwrap();
        while !stopped.load(SeqCst) {
            send(0);
        }
    });
    go.recv().unwrap();
    let target = std::os::unix::thread::JoinHandleExt::as_pthread_t(&worker);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) || HANDLED.load(SeqCst) < 1000 {
        // SAFETY: another thread of this process, which lives.
        unsafe { libc::pthread_kill(target, libc::SIGUSR1) };
        thread::yield_now();
    }
    stop.store(true, SeqCst);
    worker.join().unwrap();
    let counts = run(mine.drain()).unwrap().counts;
    deliver.join().unwrap();
    let accepted = NEXT.iter().map(|next| next.load(SeqCst) as u64).sum::<u64>();
    assert_eq!((counts.completed, counts.panicked), (accepted, 0), "{counts}");
    assert_eq!((counts.accepted, counts.rejected), (accepted, REJECTED.load(SeqCst)), "{counts}");
    assert_eq!(counts.unaccounted(), 0, "{counts}");
    assert!(NEXT.iter().all(|next| next.load(SeqCst) > 0));
}
