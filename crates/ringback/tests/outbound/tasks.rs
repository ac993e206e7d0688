// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async callbacks, Rust on both ends, and a foreign end by hand where it misbehaves.

use crate::common::watchdog;
use core::ffi::c_void;
use ringback::abi::{RbCallback, RbError, RbTask, Status, VERSION};
use ringback::{BoxedTask, Callback, ForeignError};
use std::future::{Future, Pending, pending};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

ringback::callback_type! {
    /// Fetches one value.
    struct Fetch: async fn(id: u32, scale: f64) -> f64
}
ringback::callback_type!(struct Flush: async fn());

/// An executor whose tasks run when they are told to.
#[derive(Clone, Default)]
struct Later(Arc<Mutex<Vec<BoxedTask>>>);

impl Later {
    fn spawn(&self) -> impl Fn(BoxedTask) + Send + Sync + 'static {
        let tasks = Arc::clone(&self.0);
        move |task| tasks.lock().unwrap().push(task)
    }

    /// Polls every task once; those that are not ready stay.
    fn poll_all(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap());
        for mut task in tasks {
            if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.0.lock().unwrap().push(task);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

struct Witness(Arc<AtomicUsize>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_task_runs_where_it_is_spawned_and_its_result_comes_back() {
    let later = Later::default();
    let fetch = Fetch::new(later.spawn(), |id, scale| async move { f64::from(id) * scale });
    let fetch = fetch.adopt().expect("well-formed");
    let mut first = fetch.call(2, 1.5);
    let mut second = fetch.call(4, 1.5);
    assert!(poll(&mut first).is_pending());
    later.poll_all();
    assert_eq!(poll(&mut second), Poll::Ready(Ok(6.0)));
    assert_eq!(futures_executor::block_on(first), Ok(3.0));
    drop(fetch);
    let flush = Flush::new(later.spawn(), || async {}).adopt().expect("well-formed");
    let mut done = flush.call();
    later.poll_all();
    assert_eq!(poll(&mut done), Poll::Ready(Ok(())));
}

#[test]
fn it_wakes_whoever_waits_from_whichever_thread_completes_it() {
    let _watchdog = watchdog("tasks on another thread");
    let (send, tasks) = mpsc::channel::<BoxedTask>();
    let send = Mutex::new(send);
    let fetch = Fetch::new(
        move |task| send.lock().unwrap().send(task).expect("the executor runs"),
        |id, _| async move { f64::from(id) },
    );
    let executor = thread::spawn(move || tasks.into_iter().for_each(futures_executor::block_on));
    let fetch = fetch.adopt().expect("well-formed");
    for id in 0..200 {
        assert_eq!(futures_executor::block_on(fetch.call(id, 0.0)), Ok(f64::from(id)));
    }
    drop(fetch);
    executor.join().expect("no panic");
}

#[test]
fn errors_and_panics_are_outcomes() {
    let later = Later::default();
    let fetch = Fetch::fallible(later.spawn(), |id, _| async move {
        match id {
            0 => Err(ForeignError::new("no such value")),
            1 => panic!("on purpose: {id}"),
            id => Ok(f64::from(id)),
        }
    });
    let fetch = fetch.adopt().expect("well-formed");
    let mut outcomes = [0, 1, 2].map(|id| fetch.call(id, 0.0));
    later.poll_all();
    let [refused, panicked, ok] = outcomes.each_mut().map(poll);
    assert_eq!(refused, Poll::Ready(Err(ForeignError::new("no such value"))));
    let text = ForeignError::with_status(Status::PANIC, "on purpose: 1");
    assert_eq!(panicked, Poll::Ready(Err(text)));
    assert_eq!(ok, Poll::Ready(Ok(2.0)));
}

#[test]
fn a_panic_in_the_closure_is_the_calls_own_error() {
    let later = Later::default();
    let fetch = Fetch::new(later.spawn(), |_, _| -> Pending<f64> { panic!("no such closure") });
    let fetch = fetch.adopt().expect("well-formed");
    let error = futures_executor::block_on(fetch.call(1, 0.0)).expect_err("not started");
    assert_eq!((error.status(), error.text()), (Status::PANIC, "no such closure"));
}

#[test]
fn an_executor_that_panics_cancels_what_it_did_not_run() {
    let fetch = Fetch::new(|_| panic!("no executor"), |_, _| pending());
    let fetch = fetch.adopt().expect("well-formed");
    let error = futures_executor::block_on(fetch.call(1, 0.0)).expect_err("dropped");
    assert_eq!(error.status(), Status::CANCELLED);
    let runs_and_panics = |task| {
        futures_executor::block_on(task);
        panic!("too late");
    };
    let fetch = Fetch::new(runs_and_panics, |id, _| async move { f64::from(id) });
    let fetch = fetch.adopt().expect("well-formed");
    assert_eq!(futures_executor::block_on(fetch.call(3, 0.0)), Ok(3.0), "told once");
}

/// Tasks that are completed, cancelled and dropped at the same time, on four threads.
#[test]
fn a_storm_of_outcomes_tells_each_once() {
    let _watchdog = watchdog("a storm of outcomes");
    const TASKS: u32 = 2_000;
    let (send, tasks) = mpsc::channel::<BoxedTask>();
    let tasks = Arc::new(Mutex::new(tasks));
    let send = Mutex::new(send);
    let drops = Arc::new(AtomicUsize::new(0));
    let witness = Arc::clone(&drops);
    let fetch = Fetch::new(
        move |task| send.lock().unwrap().send(task).expect("the executors run"),
        move |id, _| {
            let witness = Witness(Arc::clone(&witness));
            let mut polls = id % 3;
            async move {
                let _witness = witness;
                std::future::poll_fn(move |context| {
                    context.waker().wake_by_ref();
                    polls = polls.saturating_sub(1);
                    if polls == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                f64::from(id)
            }
        },
    );
    let executors: Vec<_> = (0..2)
        .map(|_| {
            let tasks = Arc::clone(&tasks);
            thread::spawn(move || {
                loop {
                    let task = tasks.lock().unwrap().recv();
                    match task {
                        Ok(task) => futures_executor::block_on(task),
                        Err(_) => break,
                    }
                }
            })
        })
        .collect();
    let fetch = fetch.adopt().expect("well-formed");
    let callers: Vec<_> = (0..2)
        .map(|caller| {
            let fetch = fetch.clone();
            thread::spawn(move || {
                let mut outcomes = [0_u32; 3];
                for id in (caller..TASKS).step_by(2) {
                    let future = fetch.call(id, 0.0);
                    match id % 5 {
                        0 => {
                            drop(future);
                            outcomes[2] += 1;
                            continue;
                        }
                        1 => future.cancel(),
                        _ => {}
                    }
                    match futures_executor::block_on(future) {
                        Ok(value) => {
                            assert_eq!(value.to_bits(), f64::from(id).to_bits());
                            outcomes[0] += 1;
                        }
                        Err(error) => {
                            assert_eq!(error.status(), Status::CANCELLED);
                            assert_eq!(id % 5, 1, "only what was cancelled is");
                            outcomes[1] += 1;
                        }
                    }
                }
                outcomes
            })
        })
        .collect();
    drop(fetch);
    let outcomes: Vec<_> = callers.into_iter().map(|caller| caller.join().expect("ok")).collect();
    executors.into_iter().for_each(|executor| executor.join().expect("no panic"));
    assert_eq!(outcomes.iter().flatten().sum::<u32>(), TASKS);
    assert_eq!(drops.load(SeqCst), TASKS as usize, "every task is dropped once");
}

#[test]
fn dropping_or_cancelling_the_future_drops_the_task_on_its_executor() {
    let later = Later::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let witness = Arc::clone(&drops);
    let fetch = Fetch::new(later.spawn(), move |_, _| {
        let witness = Witness(Arc::clone(&witness));
        async move {
            let _witness = witness;
            pending().await
        }
    });
    let fetch = fetch.adopt().expect("well-formed");
    drop(fetch.call(1, 0.0));
    let mut cancelled = fetch.call(2, 0.0);
    let mut running = fetch.call(3, 0.0);
    cancelled.cancel();
    cancelled.cancel();
    assert_eq!(drops.load(SeqCst), 0, "on the executor, not here");
    later.poll_all();
    assert_eq!(drops.load(SeqCst), 2);
    assert_eq!(later.len(), 1);
    let outcome = ForeignError::with_status(Status::CANCELLED, "");
    assert_eq!(poll(&mut cancelled), Poll::Ready(Err(outcome.clone())));
    assert!(poll(&mut running).is_pending());
    later.0.lock().unwrap().clear(); // the executor shuts down
    assert_eq!(poll(&mut running), Poll::Ready(Err(outcome)));
}

#[test]
fn a_callback_passed_on_keeps_its_async_form() {
    let later = Later::default();
    let fetch = Fetch::new(later.spawn(), |id, _| async move { f64::from(id) });
    // Without `retain`, so that what is passed on leads through Rust's own count.
    let raw = RbCallback { retain: None, ..fetch.into_raw() };
    // SAFETY: made above; it has one owner now.
    let fetch = unsafe { Fetch::from_raw(raw) }.adopt().expect("well-formed");
    let second = fetch.to_foreign().adopt().expect("well-formed");
    drop(fetch);
    let mut value = second.call(9, 0.0);
    later.poll_all();
    assert_eq!(poll(&mut value), Poll::Ready(Ok(9.0)));
}

type Call =
    unsafe extern "C" fn(*mut c_void, u32, f64, FetchDone, *mut RbTask, *mut RbError) -> i32;

fn by_hand(call: Call) -> Callback<Fetch> {
    let raw = RbCallback {
        size: RbCallback::SIZE,
        abi: VERSION,
        call: Some(unsafe { std::mem::transmute::<Call, unsafe extern "C" fn()>(call) }),
        context: std::ptr::null_mut(),
        retain: None,
        release: None,
    };
    unsafe { Fetch::from_raw(raw) }.adopt().expect("well-formed")
}

#[test]
fn a_foreign_side_that_misbehaves_is_told_and_crashes_nothing() {
    unsafe extern "C" fn completes_twice(
        _: *mut c_void,
        id: u32,
        _: f64,
        done: FetchDone,
        _: *mut RbTask,
        _: *mut RbError,
    ) -> i32 {
        let done = done.adopt().expect("well-formed");
        let value = f64::from(id);
        let missing = done.call(0, std::ptr::null(), std::ptr::null()).expect_err("no value");
        assert!(missing.text().contains("pass a pointer"), "{missing}");
        done.call(0, &raw const value, std::ptr::null()).expect("the first");
        let second = done.call(1, std::ptr::null(), std::ptr::null()).expect_err("the second");
        assert_eq!(second.text(), "completed a second time");
        0
    }
    let fetch = by_hand(completes_twice);
    assert_eq!(futures_executor::block_on(fetch.call(8, 0.0)), Ok(8.0));

    unsafe extern "C" fn forgets(
        _: *mut c_void,
        _: u32,
        _: f64,
        done: FetchDone,
        _: *mut RbTask,
        _: *mut RbError,
    ) -> i32 {
        drop(done);
        0
    }
    let outcome = futures_executor::block_on(by_hand(forgets).call(8, 0.0));
    assert_eq!(outcome.expect_err("never completed").status(), Status::CANCELLED);

    unsafe extern "C" fn refuses(
        _: *mut c_void,
        _: u32,
        _: f64,
        done: FetchDone,
        _: *mut RbTask,
        error: *mut RbError,
    ) -> i32 {
        drop(done);
        let text = "busy";
        let why = RbError { text: text.as_ptr().cast(), length: text.len(), ..RbError::EMPTY };
        unsafe { error.write(why) };
        Status::REJECTED.0
    }
    let outcome = futures_executor::block_on(by_hand(refuses).call(8, 0.0));
    assert_eq!(outcome, Err(ForeignError::with_status(Status::REJECTED, "busy")));
}
