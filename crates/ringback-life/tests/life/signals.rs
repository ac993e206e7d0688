//! A signal handler calls in, at any instruction of a call under way.

use crate::Function;
use crate::own_process::is_this;
use ringback::callback_pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::*};
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
