// SPDX-License-Identifier: MIT OR Apache-2.0

//! Threads that vanish inside a listener, or leave it without returning.

use crate::own_process::{self, is_this};
use crate::{Function, life_call_and_catch_jump, life_jump_out};
use ringback::{Pending, callback_pool};
use std::future::{Future, IntoFuture};
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; reuse = oldest_first; }

struct Counted(Arc<AtomicUsize>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

extern "C" fn call(function: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: the thread was started with a `Function`.
    let function = unsafe { std::mem::transmute::<*mut libc::c_void, Function>(function) };
    function(0);
    std::ptr::null_mut()
}

#[test]
fn a_thread_that_ends_inside_is_found_out() {
    if !is_this("vanish::a_thread_that_ends_inside_is_found_out") {
        return;
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let token = Counted(dropped.clone());
    let mine = POOL
        .register(move |x| {
            let _ = &token;
            if x == 0 {
                // SAFETY: ends this thread, a C one, with nothing run.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
            }
            x
        })
        .unwrap();
    let function = mine.as_fn();
    // SAFETY: zeroed, then written; `call` gets what it expects.
    unsafe {
        let mut thread: libc::pthread_t = std::mem::zeroed();
        let made = libc::pthread_create(
            &raw mut thread,
            std::ptr::null(),
            call,
            function as *mut libc::c_void,
        );
        assert_eq!(made, 0);
    }
    thread::sleep(Duration::from_millis(50)); // it may still be alive then; that is found out too
    let Err(Pending::Vanished(retired)) = mine.unregister() else { panic!("not found out") };
    assert_eq!(function(1), -1);
    assert_eq!(dropped.load(SeqCst), 0, "dropped under a call");
    let retired = retired.wait_timeout(Duration::from_millis(10)).unwrap_err();
    let polled = pin!(retired.into_future()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(Pending::Vanished(_)))), "a task would wait for ever");
    // Everybody else is served as before.
    let other = POOL.register(|x| x + 1).unwrap();
    assert_eq!(other.as_fn()(1), 2);
    other.unregister().unwrap();
}

#[test]
fn a_longjmp_over_a_listener_leaves_it_inside() {
    if !is_this("vanish::a_longjmp_over_a_listener_leaves_it_inside") {
        return;
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let token = Counted(dropped.clone());
    let mine = POOL
        .register(move |x| {
            let _ = &token;
            if x == 0 {
                // SAFETY: no frame in between has anything to drop.
                unsafe { life_jump_out() };
            }
            x
        })
        .unwrap();
    let function = mine.as_fn();
    // More often than a record has cells, and than counted calls are known by name.
    for _ in 0..40 {
        // SAFETY: as above.
        assert_eq!(unsafe { life_call_and_catch_jump(function) }, 1);
    }
    assert_eq!(function(5), 5, "calls go on");
    let Err(Pending::StillInside(retired)) = mine.unregister() else { panic!("not inside?") };
    assert_eq!(function(5), -1);
    drop(retired);
    assert_eq!(dropped.load(SeqCst), 0, "kept for ever, as documented");
}

/// The C library unwinds the thread, the panic guard stops that, and the C library gives up.
fn ends_the_process_with_a_message(test: &str, leave: fn()) {
    let Some(output) = own_process::output(test) else {
        let mine = POOL
            .register(move |x| {
                leave();
                x
            })
            .unwrap();
        let function = mine.as_fn();
        thread::spawn(move || function(0)).join().unwrap();
        unreachable!("the thread did not come back");
    };
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    assert!(!output.stderr.is_empty(), "it says why");
}

#[test]
fn pthread_exit_inside_a_listener_ends_the_process_with_a_message() {
    let test = "vanish::pthread_exit_inside_a_listener_ends_the_process_with_a_message";
    ends_the_process_with_a_message(test, || {
        // SAFETY: what becomes of it is what is tested.
        unsafe { libc::pthread_exit(std::ptr::null_mut()) }
    });
}

#[test]
fn cancellation_inside_a_listener_ends_the_process_with_a_message() {
    let test = "vanish::cancellation_inside_a_listener_ends_the_process_with_a_message";
    ends_the_process_with_a_message(test, || {
        // SAFETY: as above; the thread cancels itself, and ends in the next call that may be cancelled.
        unsafe {
            libc::pthread_cancel(libc::pthread_self());
            libc::pause();
        }
    });
}
