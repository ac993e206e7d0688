// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every overflow policy, with exact counts.

use super::*;

#[test]
fn reject_and_drop_newest_answer_as_they_say() {
    for (policy, answer) in [(reject(), REJECTED), (OverflowPolicy::DropNewest, 0)] {
        let (r, deliver) = POOL
            .register_async(Mailbox::bounded(3).overflow(policy), accept, async |_| ())
            .unwrap();
        let f = r.as_fn();
        assert_eq!((0..5).map(|x| f(x)).collect::<Vec<_>>(), [0, 0, 0, answer, answer]);
        let counts = balanced(r.counts());
        assert_eq!(
            (counts.accepted, counts.rejected, counts.queued, counts.high_water),
            (3, 2, 3, 3)
        );
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
    assert_eq!(r.counts().allocated_bytes, 0, "as long as it is empty");
    assert_eq!([f(11), f(21), f(12), f(13), f(31), f(22)], [0, 0, 0, 0, REJECTED, 0]);
    assert_ne!(r.counts().allocated_bytes, 0);
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    let counts = balanced(drained.counts);
    assert_eq!(
        (counts.accepted, counts.coalesced, counts.rejected, counts.completed),
        (5, 3, 1, 2)
    );
    assert_eq!(*seen.lock().unwrap(), [13, 22]);
}

#[test]
fn old_messages_expire() {
    let (r, deliver) = POOL
        .register_async(
            Mailbox::bounded(10).expire_after(Duration::from_millis(30)),
            accept,
            async |_| (),
        )
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

/// The consumer's last look before it sleeps may find nothing but messages that are too old, and so make
/// room that a producer waits for.
#[test]
fn producers_get_the_room_of_messages_that_have_expired() {
    let _alive = watchdog("producers beside expiring messages");
    let endless = OverflowPolicy::Block { at_most: Duration::MAX, or: REJECTED };
    for _ in 0..20 {
        let mailbox =
            Mailbox::bounded(16).overflow(endless).expire_after(Duration::from_micros(20));
        let (r, deliver) = POOL.register_async(mailbox, accept, async |_| ()).unwrap();
        let f = r.as_fn();
        let delivering = thread::spawn(move || block_on(deliver));
        let producers =
            [(); 2].map(|()| thread::spawn(move || assert!((0..5_000).all(|n| f(n) != REJECTED))));
        for producer in producers {
            producer.join().unwrap();
        }
        let counts = balanced(block_on(r.drain()).unwrap().counts);
        assert_eq!((counts.rejected, counts.completed + counts.expired), (0, 10_000));
        delivering.join().unwrap();
    }
}

/// A listener that keeps its thread, too, has made room when it took its message.
#[test]
fn a_listener_that_blocks_its_thread_keeps_no_producer_from_the_room_it_made() {
    let _alive = watchdog("a producer beside a listener that blocks");
    let endless = OverflowPolicy::Block { at_most: Duration::MAX, or: REJECTED };
    static PUSHED: AtomicBool = AtomicBool::new(false);
    let listener = async |n| match n {
        0 => thread::sleep(Duration::from_millis(50)), // until the producer waits for room
        1 => {
            while !PUSHED.load(SeqCst) {
                // until it has found some: this message's
                thread::yield_now();
            }
        }
        _ => {}
    };
    let mailbox = Mailbox::bounded(4).overflow(endless);
    let (r, deliver) = POOL.register_async(mailbox, accept, listener).unwrap();
    let f = r.as_fn();
    let delivering = thread::spawn(move || block_on(deliver));
    for n in 0..6 {
        assert_ne!(f(n), REJECTED); // 0 is inside, 1 to 4 wait, 5 finds no room until 1 is taken
    }
    PUSHED.store(true, SeqCst);
    assert_eq!(balanced(block_on(r.drain()).unwrap().counts).completed, 6);
    delivering.join().unwrap();
}

/// As above, where nobody waits for the next message but asks for it now and then.
#[test]
fn asking_for_messages_lets_producers_in() {
    let _alive = watchdog("producers beside try_next");
    let endless = OverflowPolicy::Block { at_most: Duration::MAX, or: REJECTED };
    let mailbox = Mailbox::bounded(2).overflow(endless);
    let (r, mut messages) = POOL.register_messages(mailbox, accept).unwrap();
    let f = r.as_fn();
    let producer = thread::spawn(move || assert!((0..100).all(|n| f(n) != REJECTED)));
    let mut found = 0;
    while found < 100 {
        match messages.try_next() {
            Some(_) => found += 1,
            None => thread::sleep(Duration::from_micros(100)),
        }
    }
    producer.join().unwrap();
    assert_eq!(messages.try_next(), None);
}

/// A consumer that pulls one now and then makes room for one, long before the mailbox is empty.
#[test]
fn pulling_one_message_lets_one_producer_in() {
    let _alive = watchdog("a producer beside a slow consumer");
    let endless = OverflowPolicy::Block { at_most: Duration::MAX, or: REJECTED };
    let mailbox = Mailbox::bounded(64).overflow(endless);
    let (r, mut messages) = POOL.register_messages(mailbox, accept).unwrap();
    let f = r.as_fn();
    assert!((0..64).all(|n| f(n) == 0));
    let producer = thread::spawn(move || assert_eq!(f(64), 0));
    // The one that waits is let in by one of these two: it may begin to wait just after the first.
    for pulled in 0..2 {
        thread::sleep(Duration::from_millis(50));
        let next = if pulled == 0 { messages.try_next() } else { block_on(messages.next()) };
        assert_eq!(next, Some(pulled));
    }
    producer.join().unwrap();
    assert_eq!(balanced(r.counts()).queued, 63);
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
    let producers: Vec<_> = (0..4)
        .map(|_| thread::spawn(move || (0..2000).for_each(|x| assert_eq!(f(x), 0))))
        .collect();
    producers.into_iter().for_each(|p| p.join().unwrap());
    let drained = block_on(r.drain()).unwrap();
    task.join().unwrap();
    assert_eq!(balanced(drained.counts).completed, 8000);
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
            let (r, deliver) = POOL
                .register_async(mailbox, accept, async move |x| {
                    let (producer, number) = ((x >> 32) as usize, x & 0xffff_ffff);
                    let mut newest = n.lock().unwrap();
                    // A coalesced message stands in an older one's place, so only the rest is ordered.
                    assert!(keyed || number > newest[producer], "out of order");
                    newest[producer] = number;
                })
                .unwrap();
            let f = r.as_fn();
            let task = run(deliver);
            let threads: Vec<_> = (0..4_u64)
                .map(|producer| {
                    thread::spawn(move || {
                        (1..=5000).filter(|number| f((producer << 32) | number) == 0).count() as u64
                    })
                })
                .collect();
            let accepted: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
            let counts = balanced(block_on(r.drain()).unwrap().counts);
            task.join().unwrap();
            assert_eq!(counts.sent(), 20_000);
            match policy {
                OverflowPolicy::DropNewest | OverflowPolicy::DisplaceOldest => {
                    assert_eq!(accepted, 20_000)
                }
                _ => assert_eq!(counts.accepted, accepted),
            }
            assert_eq!((counts.queued, counts.running, counts.panicked), (0, 0, 0), "{counts}");
        }
    }
}
