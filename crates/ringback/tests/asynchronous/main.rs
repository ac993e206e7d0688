// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async listeners: promises 9 and 10, every policy with exact counts, and every way to end.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod ending;
mod policies;
mod rare;

use common::{Drops, quiet_panics, wait_until, watchdog};
use futures_executor::block_on;
use futures_util::{future::join, poll};
use ringback::{
    AsyncListener, AsyncRegistration, Counts, FutureSlot, Mailbox, NotDrained, OverflowPolicy,
    SlotFuture, Take, callback_pool,
};
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

type Function = extern "C" fn(u64) -> i32;
const REJECTED: i32 = -2;
const DECLINED: i32 = -3;
const STALE: i32 = -1;
const NEVER: u64 = u64::MAX;

callback_pool! {
    static POOL: Pool<extern "C" fn(u64) -> i32, 6000>;
    fallback = STALE; on_panic = -9; reuse = oldest_first;
}

fn accept(x: u64) -> Take<u64, i32> {
    if x == NEVER { Take::Decline(DECLINED) } else { Take::Accept(x, 0) }
}

fn reject() -> OverflowPolicy<i32> {
    OverflowPolicy::Reject(REJECTED)
}

fn balanced(counts: Counts) -> Counts {
    assert_eq!(counts.unaccounted(), 0, "{counts}");
    counts
}

/// A deliver future on a thread of its own.
fn run(deliver: impl Future<Output = ()> + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || block_on(deliver))
}

fn poll_once(future: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn messages_arrive_in_order_and_are_counted() {
    let _alive = watchdog("in order");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10_000).overflow(reject()), accept, async move |x| {
            s.lock().unwrap().push(x);
        })
        .unwrap();
    let f = r.as_fn();
    let task = run(deliver);
    for x in 0..5000 {
        assert_eq!(f(x), 0);
    }
    assert_eq!(f(NEVER), DECLINED);
    let drained = block_on(r.drain()).unwrap();
    task.join().unwrap();
    let counts = balanced(drained.counts);
    assert_eq!((counts.accepted, counts.completed, counts.declined), (5000, 5000, 1));
    assert_eq!(counts.sent(), 5001);
    assert_eq!(*seen.lock().unwrap(), (0..5000).collect::<Vec<_>>());
    assert_eq!(f(1), STALE);
}

#[test]
fn it_runs_on_tokio_smol_a_current_thread_runtime_and_by_hand() {
    let _alive = watchdog("executors");
    let start = || {
        let sum = Arc::new(AtomicU64::new(0));
        let s = sum.clone();
        let (r, deliver) = POOL
            .register_async(Mailbox::bounded(100).overflow(reject()), accept, async move |x| {
                s.fetch_add(x, SeqCst);
            })
            .unwrap();
        (sum, r, deliver)
    };
    let feed = |r: &AsyncRegistration<POOL, u64>| {
        let f = r.as_fn();
        thread::spawn(move || (1..=10).for_each(|x| assert_eq!(f(x), 0))).join().unwrap();
    };
    // tokio, several threads
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (sum, r, deliver) = start();
    let task = runtime.spawn(deliver);
    feed(&r);
    runtime.block_on(async {
        balanced(r.drain().await.unwrap().counts);
        task.await.unwrap()
    });
    assert_eq!(sum.load(SeqCst), 55);
    // tokio, one thread
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (sum, r, deliver) = start();
    runtime.block_on(async {
        let task = tokio::spawn(deliver);
        feed(&r);
        balanced(r.drain().await.unwrap().counts);
        task.await.unwrap();
    });
    assert_eq!(sum.load(SeqCst), 55);
    // smol
    let (sum, r, deliver) = start();
    let task = smol::spawn(deliver);
    feed(&r);
    smol::block_on(async {
        balanced(r.drain().await.unwrap().counts);
        task.await
    });
    assert_eq!(sum.load(SeqCst), 55);
    // futures
    let (sum, r, deliver) = start();
    feed(&r);
    balanced(block_on(join(deliver, r.drain())).1.unwrap().counts);
    assert_eq!(sum.load(SeqCst), 55);
    // by hand
    let (sum, r, deliver) = start();
    feed(&r);
    let mut deliver = pin!(deliver);
    assert!(poll_once(deliver.as_mut()).is_pending());
    assert_eq!(sum.load(SeqCst), 55);
    drop(r);
    assert!(poll_once(deliver).is_ready());
}

#[test]
fn futures_that_are_not_send_stay_on_their_thread() {
    let local = std::rc::Rc::new(std::cell::Cell::new(0));
    let l = local.clone();
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10), accept, async move |x| l.set(l.get() + x))
        .unwrap();
    let f = r.as_fn();
    thread::spawn(move || f(5)).join().unwrap();
    block_on(join(deliver, r.drain())).1.unwrap();
    assert_eq!(local.get(), 5);
}

#[test]
fn trait_objects_streams_and_batches() {
    struct Sums(AtomicU64);
    impl AsyncListener<u64> for Sums {
        fn handle<'a>(&'a self, x: u64, slot: &'a mut FutureSlot) -> SlotFuture<'a, ()> {
            slot.put(async move {
                self.0.fetch_add(x, SeqCst);
            })
        }
    }
    let sums = Arc::new(Sums(AtomicU64::new(0)));
    let (r, deliver) =
        POOL.register_async_dyn(Mailbox::bounded(100), accept, sums.clone()).unwrap();
    let f = r.as_fn();
    (0..10).for_each(|x| assert_eq!(f(x), 0));
    block_on(join(deliver, r.drain())).1.unwrap();
    assert_eq!(sums.0.load(SeqCst), 45);

    let (r, mut messages) = POOL.register_messages(Mailbox::bounded(100), accept).unwrap();
    let f = r.as_fn();
    (0..3).for_each(|x| assert_eq!(f(x), 0));
    assert_eq!(messages.try_next(), Some(0));
    assert_eq!(block_on(messages.next()), Some(1));
    let drain = r.drain();
    assert_eq!(block_on(messages.next()), Some(2));
    assert_eq!(block_on(messages.next()), None);
    drop(messages);
    assert_eq!(balanced(block_on(drain).unwrap().counts).completed, 3);

    let sizes = Arc::new(Mutex::new(Vec::new()));
    let s = sizes.clone();
    let (r, deliver) = POOL
        .register_async_batches(Mailbox::bounded(100), 4, accept, async move |mut batch| {
            s.lock().unwrap().push(batch.len());
            assert!(batch.is_sorted());
            assert!(batch.drain().count() > 0);
        })
        .unwrap();
    let f = r.as_fn();
    (0..10).for_each(|x| assert_eq!(f(x), 0));
    let counts = balanced(block_on(join(deliver, r.drain())).1.unwrap().counts);
    assert_eq!(counts.completed, 10);
    assert_eq!(*sizes.lock().unwrap(), [4, 4, 2]);
}

#[test]
fn futures_forgotten_in_a_slot_leak_their_memory() {
    let mut slot = FutureSlot::new();
    for _ in 0..3 {
        let mut future = slot.put(async { pending::<()>().await });
        assert!(block_on(async { poll!(&mut future) }).is_pending());
        std::mem::forget(future);
    }
    assert_eq!(block_on(slot.put(async { 7 })), 7);
    let big = [1_u8; 500];
    assert_eq!(
        block_on(slot.put(async move {
            std::future::ready(()).await;
            big[499]
        })),
        1
    );
    assert_eq!(block_on(slot.put(async { String::from("x") })), "x");
}

#[test]
fn a_hot_listener_does_not_starve_five_thousand_others_on_one_thread() {
    let _alive = watchdog("fairness");
    const LISTENERS: usize = 5000;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let hot_goes_on = Arc::new(AtomicBool::new(true));
        let me: Arc<Mutex<Option<Function>>> = Arc::default();
        let (h, m) = (hot_goes_on.clone(), me.clone());
        // Refills its own mailbox for as long as it is told to, so it always has something to do.
        let (hot, deliver) = POOL
            .register_async(Mailbox::bounded(10), accept, async move |x| {
                if h.load(SeqCst) {
                    let f = m.lock().unwrap().unwrap();
                    f(x + 1);
                }
            })
            .unwrap();
        *me.lock().unwrap() = Some(hot.as_fn());
        tokio::spawn(deliver);
        (hot.as_fn())(0);
        let done = Arc::new(AtomicU64::new(0));
        let others: Vec<_> = (0..LISTENERS - 1)
            .map(|_| {
                let d = done.clone();
                let (r, deliver) = POOL
                    .register_async(Mailbox::bounded(4), accept, async move |_| {
                        d.fetch_add(1, SeqCst);
                    })
                    .unwrap();
                tokio::spawn(deliver);
                r
            })
            .collect();
        let functions: Vec<_> = others.iter().map(|r| r.as_fn()).collect();
        let idle: u64 = others.iter().map(|r| r.counts().allocated_bytes).sum();
        assert!(
            idle <= 64 * others.len() as u64,
            "an unused mailbox holds {} bytes",
            idle / others.len() as u64
        );
        thread::spawn(move || functions.into_iter().for_each(|f| assert_eq!(f(1), 0)))
            .join()
            .unwrap();
        while done.load(SeqCst) < LISTENERS as u64 - 1 {
            tokio::task::yield_now().await;
        }
        assert!(hot.counts().completed > 0);
        hot_goes_on.store(false, SeqCst);
        for r in others {
            balanced(r.drain().await.unwrap().counts);
        }
        balanced(hot.drain().await.unwrap().counts);
    });
}

#[test]
fn a_stall_is_seen_by_a_supervisor() {
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10), accept, async |x| {
            if x == 1 {
                pending::<()>().await
            }
        })
        .unwrap();
    let f = r.as_fn();
    let mut deliver = pin!(deliver);
    let mut watch = r.watch_stall(Duration::from_millis(20));
    assert_eq!(watch.check(), None);
    f(0);
    assert!(poll_once(deliver.as_mut()).is_pending());
    assert_eq!(watch.check(), None);
    f(1);
    f(2);
    assert!(poll_once(deliver.as_mut()).is_pending());
    assert_eq!(watch.check(), None);
    thread::sleep(Duration::from_millis(40));
    let stalled = watch.check().unwrap();
    assert_eq!(stalled.waiting, 2);
    assert!(stalled.stalled_for >= Duration::from_millis(20));
    drop(r);
}

#[cfg(all(feature = "stream", feature = "tokio"))]
#[test]
fn the_features_stream_and_tokio_add_their_sugar() {
    use futures_util::StreamExt;
    let _alive = watchdog("features");
    let (r, messages) = POOL.register_messages(Mailbox::bounded(10), accept).unwrap();
    let f = r.as_fn();
    (0..3).for_each(|x| assert_eq!(f(x), 0));
    drop(r);
    assert_eq!(block_on(messages.collect::<Vec<_>>()), [0, 1, 2]);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let sum = Arc::new(AtomicU64::new(0));
        let s = sum.clone();
        let (r, task) = POOL
            .spawn_async(Mailbox::bounded(10), accept, move |x| {
                let s = s.clone();
                async move {
                    s.fetch_add(x, SeqCst);
                }
            })
            .unwrap();
        let f = r.as_fn();
        thread::spawn(move || (1..=4).for_each(|x| assert_eq!(f(x), 0))).join().unwrap();
        balanced(r.drain().await.unwrap().counts);
        task.await.unwrap();
        assert_eq!(sum.load(SeqCst), 10);
    });
}

#[cfg(feature = "histogram")]
#[test]
fn wait_times_are_measured_where_asked_for() {
    let (r, deliver) =
        POOL.register_async(Mailbox::bounded(10).measure_wait(), accept, async |_| ()).unwrap();
    let f = r.as_fn();
    assert_eq!([f(1), f(2)], [0, 0]);
    thread::sleep(Duration::from_millis(20));
    let mut deliver = pin!(deliver);
    assert!(poll_once(deliver.as_mut()).is_pending());
    let times = r.wait_times().unwrap();
    assert_eq!(times.messages, 2);
    assert!(times.p50 >= Duration::from_millis(19) && times.longest >= times.p50, "{times:?}");
    let (plain, _deliver) = POOL.register_async(Mailbox::bounded(1), accept, async |_| ()).unwrap();
    assert_eq!(plain.wait_times(), None);
}
