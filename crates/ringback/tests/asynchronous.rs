//! Async listeners: promises 9 and 10, every policy with exact counts, and every way to end.
#![allow(missing_docs, reason = "a test")]

mod common;

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
    runtime.block_on(async { balanced(r.drain().await.unwrap().counts); task.await.unwrap() });
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
    smol::block_on(async { balanced(r.drain().await.unwrap().counts); task.await });
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
fn reject_and_drop_newest_answer_as_they_say() {
    for (policy, answer) in [(reject(), REJECTED), (OverflowPolicy::DropNewest, 0)] {
        let (r, deliver) = POOL.register_async(Mailbox::bounded(3).overflow(policy), accept, async |_| ()).unwrap();
        let f = r.as_fn();
        assert_eq!((0..5).map(|x| f(x)).collect::<Vec<_>>(), [0, 0, 0, answer, answer]);
        let counts = balanced(r.counts());
        assert_eq!((counts.accepted, counts.rejected, counts.queued, counts.high_water), (3, 2, 3, 3));
        let drained = block_on(join(deliver, r.drain())).1.unwrap();
        assert_eq!(balanced(drained.counts).completed, 3);
    }
    // Without a policy: the pool's fallback.
    let (r, _deliver) = POOL.register_async(Mailbox::bounded(1), accept, async |_| ()).unwrap();
    assert_eq!([(r.as_fn())(1), (r.as_fn())(2)], [0, STALE]);
}

#[test]
fn displacing_keeps_the_newest() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    let drops = Drops::default();
    let token = Arc::new(drops.token());
    let (r, deliver) = POOL
        .register_async(
            Mailbox::bounded(3).overflow(OverflowPolicy::DisplaceOldest),
            move |x| Take::Accept((x, token.clone()), 0),
            async move |(x, _)| s.lock().unwrap().push(x),
        )
        .unwrap();
    let f = r.as_fn();
    assert!((0..10).all(|x| f(x) == 0));
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    let counts = balanced(drained.counts);
    assert_eq!((counts.accepted, counts.displaced, counts.completed), (10, 7, 3));
    assert_eq!(*seen.lock().unwrap(), [7, 8, 9]);
    assert_eq!(drops.count(), 1, "a message is leaked");
}

#[test]
fn coalescing_replaces_in_place() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    let (r, deliver) = POOL
        .register_async(
            Mailbox::bounded(2).coalesce_by(|x| x / 10).overflow(reject()),
            accept,
            async move |x| s.lock().unwrap().push(x),
        )
        .unwrap();
    let f = r.as_fn();
    assert_eq!([f(11), f(21), f(12), f(13), f(31), f(22)], [0, 0, 0, 0, REJECTED, 0]);
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    let counts = balanced(drained.counts);
    assert_eq!((counts.accepted, counts.coalesced, counts.rejected, counts.completed), (5, 3, 1, 2));
    assert_eq!(*seen.lock().unwrap(), [13, 22]);
}

#[test]
fn old_messages_expire() {
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10).expire_after(Duration::from_millis(30)), accept, async |_| ())
        .unwrap();
    let f = r.as_fn();
    f(1);
    f(2);
    thread::sleep(Duration::from_millis(60));
    f(3);
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    let counts = balanced(drained.counts);
    assert_eq!((counts.expired, counts.completed), (2, 1));
}

#[test]
fn blocking_waits_for_room_and_gives_up_in_time() {
    let _alive = watchdog("a blocked producer");
    let policy = |at_most| OverflowPolicy::Block { at_most, or: REJECTED };
    let mailbox = Mailbox::bounded(1).overflow(policy(Duration::from_millis(20)));
    let (r, deliver) = POOL.register_async(mailbox, accept, async |_| ()).unwrap();
    let f = r.as_fn();
    assert_eq!([f(1), f(2)], [0, REJECTED]);
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    assert_eq!(balanced(drained.counts).rejected, 1);

    let mailbox = Mailbox::bounded(2).overflow(policy(Duration::from_secs(100)));
    let (r, deliver) = POOL.register_async(mailbox, accept, async |_| ()).unwrap();
    let f = r.as_fn();
    let task = run(deliver);
    let producers: Vec<_> = (0..4).map(|_| thread::spawn(move || (0..2000).for_each(|x| assert_eq!(f(x), 0)))).collect();
    producers.into_iter().for_each(|p| p.join().unwrap());
    let drained = block_on(r.drain()).unwrap();
    task.join().unwrap();
    assert_eq!(balanced(drained.counts).completed, 8000);
}

#[test]
fn ending_lets_blocked_producers_go() {
    let _alive = watchdog("blocked producers at the end");
    for discard in [false, true] {
        let policy = OverflowPolicy::Block { at_most: Duration::from_secs(100), or: REJECTED };
        let (r, deliver) = POOL.register_async(Mailbox::bounded(1).overflow(policy), accept, async |_| ()).unwrap();
        let f = r.as_fn();
        assert_eq!(f(1), 0);
        let blocked = thread::spawn(move || f(2));
        wait_until("blocked", || r.counts().high_water >= 1);
        thread::sleep(Duration::from_millis(20));
        let end = if discard { r.discard() } else { r.drain() };
        assert_eq!(blocked.join().unwrap(), REJECTED);
        let counts = balanced(block_on(join(deliver, end)).1.unwrap().counts);
        assert_eq!((counts.completed, counts.discarded), if discard { (0, 1) } else { (1, 0) });
        assert_eq!(counts.rejected, 1);
    }
}

#[test]
fn discard_cancels_the_running_listener_and_drops_the_rest() {
    let _alive = watchdog("discard");
    let drops = Drops::default();
    let (token, started) = (drops.token(), Arc::new(AtomicBool::new(false)));
    let s = started.clone();
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async move |_| {
            token.touch();
            s.store(true, SeqCst);
            pending::<()>().await;
        })
        .unwrap();
    let f = r.as_fn();
    let task = run(deliver);
    (0..5).for_each(|x| assert_eq!(f(x), 0));
    wait_until("the listener is suspended", || started.load(SeqCst));
    let counts = balanced(block_on(r.discard()).unwrap().counts);
    task.join().unwrap();
    assert_eq!((counts.cancelled, counts.discarded, counts.completed), (1, 4, 0));
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_listener_that_never_returns_is_cut_off_by_the_drains_time_out() {
    let _alive = watchdog("a drain with a time-out");
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async |_| pending::<()>().await)
        .unwrap();
    let f = r.as_fn();
    let task = run(deliver);
    (0..3).for_each(|x| assert_eq!(f(x), 0));
    let Err(NotDrained::TimedOut(_)) = block_on(r.drain().timeout(Duration::from_millis(50))) else {
        panic!("drained a listener that never returns");
    };
    task.join().unwrap(); // cancelled, so the executor is free again
}

#[test]
fn draining_from_inside_is_told_and_dropping_from_inside_works() {
    let _alive = watchdog("draining from inside");
    let me = Arc::new(Mutex::new(None::<AsyncRegistration<POOL, u64>>));
    let (m, answers) = (me.clone(), Arc::new(Mutex::new(Vec::new())));
    let a = answers.clone();
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async move |x| {
            let mine = m.lock().unwrap().take();
            if let Some(mine) = mine {
                a.lock().unwrap().push(matches!(mine.drain().await, Err(NotDrained::WouldDeadlock(_))));
            }
            a.lock().unwrap().push(x == 2);
        })
        .unwrap();
    let f = r.as_fn();
    f(1);
    f(2);
    *me.lock().unwrap() = Some(r);
    block_on(deliver);
    assert_eq!(*answers.lock().unwrap(), [true, false, true], "the rest is still delivered");
    assert_eq!(f(3), STALE);
}

#[test]
fn dropping_deliver_turns_later_calls_into_rejections() {
    let drops = Drops::default();
    let token = Arc::new(drops.token());
    let (r, deliver) = POOL
        .register_async(
            Mailbox::bounded(10).overflow(reject()),
            move |x| Take::Accept((x, token.clone()), 0),
            async |_| (),
        )
        .unwrap();
    let f = r.as_fn();
    assert_eq!(f(1), 0);
    drop(deliver);
    assert_eq!([f(2), f(3)], [REJECTED, REJECTED]);
    let counts = balanced(block_on(r.drain()).unwrap().counts);
    assert_eq!((counts.rejected, counts.discarded, counts.queued), (2, 1, 0));
    assert_eq!(drops.count(), 1);
}

#[test]
fn an_executor_that_is_shut_down_first_leaves_exact_counts() {
    let _alive = watchdog("executor first");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (r, deliver) = POOL
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async |_| pending::<()>().await)
        .unwrap();
    let f = r.as_fn();
    runtime.spawn(deliver);
    (0..3).for_each(|x| assert_eq!(f(x), 0));
    wait_until("running", || r.counts().running == 1);
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert_eq!(f(9), REJECTED);
    let counts = balanced(block_on(r.drain()).unwrap().counts);
    assert_eq!((counts.cancelled, counts.discarded, counts.rejected), (1, 2, 1));
}

#[test]
fn a_panic_ends_its_message_only_unless_told_otherwise() {
    quiet_panics();
    for end in [false, true] {
        let mut mailbox = Mailbox::bounded(10).overflow(reject());
        if end {
            mailbox = mailbox.end_on_panic();
        }
        let (r, deliver) = POOL
            .register_async(mailbox, accept, |x| {
                assert!(x != 0, "provoked before the future");
                async move { assert!(x != 1, "provoked in the future") }
            })
            .unwrap();
        let f = r.as_fn();
        for x in [1, 2, 0, 3] {
            assert_eq!(f(x), 0);
        }
        let counts = balanced(block_on(join(deliver, r.drain())).1.unwrap().counts);
        let expected = if end { (0, 1, 3) } else { (2, 2, 0) };
        assert_eq!((counts.completed, counts.panicked, counts.discarded), expected);
    }
}

#[test]
fn panics_in_take_key_and_message_destructors_are_accounted_for() {
    quiet_panics();
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0, "provoked in a message's destructor");
        }
    }
    let (r, deliver) = POOL
        .register_async(
            Mailbox::bounded(2)
                .overflow(OverflowPolicy::DisplaceOldest)
                .coalesce_by(|bomb: &Bomb| { assert!(bomb.0, "provoked in the key"); 1 }),
            |x| match x {
                0 => panic!("provoked in take"),
                1 => Take::Accept(Bomb(false), 0),
                _ => Take::Accept(Bomb(true), 0),
            },
            async |bomb| std::mem::forget(bomb),
        )
        .unwrap();
    let f = r.as_fn();
    assert_eq!([f(0), f(1), f(2), f(3)], [-9, -9, 0, 0]);
    let counts = balanced(block_on(join(deliver, r.drain())).1.unwrap().counts);
    assert_eq!((counts.declined, counts.accepted, counts.coalesced, counts.completed), (2, 2, 1, 1));
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
    let (r, deliver) = POOL.register_async_dyn(Mailbox::bounded(100), accept, sums.clone()).unwrap();
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
fn a_forgotten_slot_future_keeps_its_memory() {
    let mut slot = FutureSlot::new();
    for _ in 0..3 {
        let mut future = slot.put(async { pending::<()>().await });
        assert!(block_on(async { poll!(&mut future) }).is_pending());
        std::mem::forget(future);
    }
    assert_eq!(block_on(slot.put(async { 7 })), 7);
    let big = [1_u8; 500];
    assert_eq!(block_on(slot.put(async move { std::future::ready(()).await; big[499] })), 1);
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
        let others: Vec<_> = (0..LISTENERS - 1).map(|_| {
            let d = done.clone();
            let (r, deliver) = POOL.register_async(Mailbox::bounded(4), accept, async move |_| { d.fetch_add(1, SeqCst); }).unwrap();
            tokio::spawn(deliver);
            r
        }).collect();
        let functions: Vec<_> = others.iter().map(|r| r.as_fn()).collect();
        let idle: u64 = others.iter().map(|r| r.counts().allocated_bytes).sum();
        assert!(idle <= 64 * others.len() as u64, "an unused mailbox holds {} bytes", idle / others.len() as u64);
        thread::spawn(move || functions.into_iter().for_each(|f| assert_eq!(f(1), 0))).join().unwrap();
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
fn every_policy_is_exact_under_several_producers_and_keeps_their_order() {
    let _alive = watchdog("exact counts");
    let block = OverflowPolicy::Block { at_most: Duration::from_secs(100), or: REJECTED };
    for policy in [reject(), OverflowPolicy::DropNewest, OverflowPolicy::DisplaceOldest, block] {
        for keyed in [false, true] {
            let newest = Arc::new(Mutex::new([0_u64; 4]));
            let n = newest.clone();
            let mut mailbox = Mailbox::bounded(16).overflow(policy);
            if keyed {
                mailbox = mailbox.coalesce_by(|x| x % 64);
            }
            let (r, deliver) = POOL.register_async(mailbox, accept, async move |x| {
                let (producer, number) = ((x >> 32) as usize, x & 0xffff_ffff);
                let mut newest = n.lock().unwrap();
                // A coalesced message stands in an older one's place, so only the rest is ordered.
                assert!(keyed || number > newest[producer], "out of order");
                newest[producer] = number;
            }).unwrap();
            let f = r.as_fn();
            let task = run(deliver);
            let threads: Vec<_> = (0..4_u64).map(|producer| thread::spawn(move || {
                (1..=5000).filter(|number| f(producer << 32 | number) == 0).count() as u64
            })).collect();
            let accepted: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
            let counts = balanced(block_on(r.drain()).unwrap().counts);
            task.join().unwrap();
            assert_eq!(counts.sent(), 20_000);
            match policy {
                OverflowPolicy::DropNewest | OverflowPolicy::DisplaceOldest => assert_eq!(accepted, 20_000),
                _ => assert_eq!(counts.accepted, accepted),
            }
            assert_eq!((counts.queued, counts.running, counts.panicked), (0, 0, 0), "{counts}");
        }
    }
}

#[test]
fn ending_at_any_moment_under_traffic_leaves_exact_counts() {
    let _alive = watchdog("ending under traffic");
    for round in 0..150 {
        let drops = Arc::new(Drops::default());
        let made = Arc::new(AtomicU64::new(0));
        let (d, m) = (drops.clone(), made.clone());
        let (r, deliver) = POOL.register_async(
            Mailbox::bounded(8).overflow(if round % 2 == 0 { reject() } else { OverflowPolicy::DisplaceOldest }),
            move |_| { m.fetch_add(1, SeqCst); Take::Accept(d.token(), 0) },
            async |token: common::Counted| { token.touch(); futures_util::pending!(); },
        ).unwrap();
        let f = r.as_fn();
        let producers: Vec<_> = (0..2).map(|_| thread::spawn(move || (0..200).map(|x| f(x)).filter(|a| *a != STALE).count() as u64)).collect();
        let task = thread::spawn(move || {
            let mut deliver = Box::pin(deliver);
            for _ in 0..round {
                if poll_once(deliver.as_mut()).is_ready() { return; }
            }
            if round % 3 == 0 { drop(deliver); } else { while poll_once(deliver.as_mut()).is_pending() { thread::yield_now(); } }
        });
        for _ in 0..round { std::hint::spin_loop(); }
        let end = if round % 5 == 0 { r.discard() } else { r.drain() };
        let counts = balanced(block_on(end).unwrap().counts);
        let answered: u64 = producers.into_iter().map(|p| p.join().unwrap()).sum();
        task.join().unwrap();
        assert_eq!(counts.sent(), answered, "{counts}");
        assert_eq!((counts.queued, counts.running), (0, 0));
        assert_eq!(drops.count() as u64, made.load(SeqCst), "a message is leaked or dropped twice");
    }
}

#[test]
fn a_stall_is_seen_by_a_supervisor() {
    let (r, deliver) = POOL.register_async(Mailbox::bounded(10), accept, async |x| if x == 1 { pending::<()>().await }).unwrap();
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
    assert!(stalled.since >= Duration::from_millis(20));
    drop(r);
}
