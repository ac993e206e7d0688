// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every way in which an async listener ends: drained, discarded, dropped, panicked.

use super::*;

#[test]
fn ending_lets_blocked_producers_go() {
    let _alive = watchdog("blocked producers at the end");
    for discard in [false, true] {
        let policy = OverflowPolicy::Block { at_most: Duration::from_secs(100), or: REJECTED };
        let entered = Arc::new(AtomicBool::new(false));
        let e = entered.clone();
        let take = move |x| {
            e.store(x == 2, SeqCst);
            accept(x)
        };
        let (r, deliver) =
            POOL.register_async(Mailbox::bounded(1).overflow(policy), take, async |_| ()).unwrap();
        let f = r.as_fn();
        assert_eq!(f(1), 0);
        let blocked = thread::spawn(move || f(2));
        wait_until("the second call is inside", || entered.load(SeqCst));
        thread::sleep(Duration::from_millis(20)); // and by now, most likely, waits for room
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
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async |_| {
            pending::<()>().await
        })
        .unwrap();
    let f = r.as_fn();
    let task = run(deliver);
    (0..3).for_each(|x| assert_eq!(f(x), 0));
    let Err(NotDrained::TimedOut(_)) = block_on(r.drain().timeout(Duration::from_millis(50)))
    else {
        panic!("drained a listener that never returns");
    };
    task.join().unwrap(); // cancelled, so the executor is free again
}

#[test]
fn a_drain_that_is_dropped_cuts_nothing_off_and_a_later_limit_replaces_an_earlier() {
    let _alive = watchdog("drains with limits that do not hold");
    let short = Duration::from_millis(50);
    let two_slow_ones = || {
        let seen = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&seen);
        let listener = async move |_| {
            thread::sleep(Duration::from_millis(100));
            count.fetch_add(1, SeqCst);
        };
        let mailbox = Mailbox::bounded(10).overflow(reject());
        let (r, deliver) = POOL.register_async(mailbox, accept, listener).unwrap();
        assert_eq!([(r.as_fn())(1), (r.as_fn())(2)], [0, 0]);
        (r, deliver, seen)
    };
    let (r, deliver, seen) = two_slow_ones();
    drop(r.drain().timeout(short));
    block_on(deliver);
    assert_eq!(seen.load(SeqCst), 2, "cut off for a drain that nobody waits for");

    let (r, deliver, seen) = two_slow_ones();
    let drain = r.drain().timeout(short).timeout(Duration::from_secs(60));
    assert_eq!(block_on(join(deliver, drain)).1.unwrap().counts.completed, 2);
    assert_eq!(seen.load(SeqCst), 2);
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
                let answer = mine.drain().await;
                a.lock().unwrap().push(matches!(answer, Err(NotDrained::WouldDeadlock(_))));
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
        .register_async(Mailbox::bounded(10).overflow(reject()), accept, async |_| {
            pending::<()>().await
        })
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
            Mailbox::bounded(2).overflow(OverflowPolicy::DisplaceOldest).coalesce_by(
                |bomb: &Bomb| {
                    assert!(bomb.0, "provoked in the key");
                    1
                },
            ),
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
    assert_eq!(
        (counts.declined, counts.accepted, counts.coalesced, counts.completed),
        (2, 2, 1, 1)
    );
}

#[test]
fn ending_at_any_moment_under_traffic_leaves_exact_counts() {
    let _alive = watchdog("ending under traffic");
    for round in 0..150 {
        let drops = Arc::new(Drops::default());
        let made = Arc::new(AtomicU64::new(0));
        let (d, m) = (drops.clone(), made.clone());
        let (r, deliver) = POOL
            .register_async(
                Mailbox::bounded(8).overflow(if round % 2 == 0 {
                    reject()
                } else {
                    OverflowPolicy::DisplaceOldest
                }),
                move |_| {
                    m.fetch_add(1, SeqCst);
                    Take::Accept(d.token(), 0)
                },
                async |token: common::Counted| {
                    token.touch();
                    futures_util::pending!();
                },
            )
            .unwrap();
        let f = r.as_fn();
        let producers: Vec<_> = (0..2)
            .map(|_| {
                thread::spawn(move || (0..200).map(|x| f(x)).filter(|a| *a != STALE).count() as u64)
            })
            .collect();
        let task = thread::spawn(move || {
            let mut deliver = Box::pin(deliver);
            for _ in 0..round {
                if poll_once(deliver.as_mut()).is_ready() {
                    return;
                }
            }
            if round % 3 == 0 {
                drop(deliver);
            } else {
                while poll_once(deliver.as_mut()).is_pending() {
                    thread::yield_now();
                }
            }
        });
        for _ in 0..round {
            std::hint::spin_loop();
        }
        let end = if round % 5 == 0 { r.discard() } else { r.drain() };
        let counts = balanced(block_on(end).unwrap().counts);
        let answered: u64 = producers.into_iter().map(|p| p.join().unwrap()).sum();
        task.join().unwrap();
        assert_eq!(counts.sent(), answered, "{counts}");
        assert_eq!((counts.queued, counts.running), (0, 0));
        assert_eq!(drops.count() as u64, made.load(SeqCst), "a message is leaked or dropped twice");
    }
}
