// SPDX-License-Identifier: MIT OR Apache-2.0

//! A mailbox without a pool.

use futures_executor::block_on;
use ringback::{Mailbox, OverflowPolicy};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

#[test]
fn in_order_bounded_and_counted() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let (feed, deliver) =
        Mailbox::bounded(3).feed("test", "full", async move |n: u32| log.lock().unwrap().push(n));
    let other = feed.clone();
    let answers: Vec<_> =
        (0..5).map(|n| if n % 2 == 0 { &feed } else { &other }.push(n, "taken")).collect();
    assert_eq!(answers, ["taken", "taken", "taken", "full", "full"]);
    let counts = feed.counts();
    assert_eq!((counts.accepted, counts.rejected, counts.queued), (3, 2, 3), "{counts}");
    drop((feed, other));
    block_on(deliver);
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
}

#[test]
fn after_close_pushes_are_rejected_and_the_queue_is_delivered() {
    let delivered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&delivered);
    let policy = OverflowPolicy::Block { at_most: Duration::from_secs(600), or: false };
    let (feed, deliver) =
        Mailbox::bounded(1).overflow(policy).feed("test", false, async move |()| {
            count.fetch_add(1, SeqCst);
        });
    assert!(feed.push((), true));
    // A producer that waits for room gives up when the mailbox closes.
    let waiting = feed.clone();
    let producer = thread::spawn(move || waiting.push((), true));
    thread::sleep(Duration::from_millis(20));
    feed.close();
    assert!(!producer.join().unwrap());
    assert!(!feed.push((), true));
    let counts = feed.counts();
    assert_eq!((counts.accepted, counts.rejected), (1, 2), "{counts}");
    drop(feed);
    block_on(deliver);
    assert_eq!(delivered.load(SeqCst), 1);
}

#[test]
fn one_limit_may_hold_for_several_mailboxes() {
    let policy = OverflowPolicy::Block { at_most: Duration::from_secs(600), or: false };
    let open = || Mailbox::bounded(1).overflow(policy).feed("test", false, async |()| {});
    let mailboxes = [open(), open(), open()];
    let feeds = mailboxes.each_ref().map(|(feed, _)| feed.clone());
    assert!(feeds.iter().all(|feed| feed.push((), true)));
    let (answered, answers) = mpsc::channel();
    thread::spawn(move || {
        let start = Instant::now();
        let until = start + Duration::from_millis(50);
        let rejected = feeds.each_ref().map(|feed| !feed.push_until((), true, until));
        answered.send((rejected, start.elapsed())).unwrap();
    });
    // The first one waits for room until then, and the others do not begin anew.
    let (rejected, took) =
        answers.recv_timeout(Duration::from_secs(300)).expect("ten minutes each");
    assert_eq!(rejected, [true; 3]);
    assert!(took >= Duration::from_millis(50));
}

struct Tells(Arc<Mutex<Option<ThreadId>>>);

impl Drop for Tells {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = Some(thread::current().id());
    }
}

#[test]
fn the_listener_is_dropped_where_it_is_delivered() {
    let dropped_by = Arc::new(Mutex::new(None));
    let tells = Tells(Arc::clone(&dropped_by));
    let (feed, deliver) = Mailbox::bounded(8).feed("test", false, async move |()| {
        let _ = &tells;
    });
    let consumer = thread::spawn(move || block_on(deliver));
    let id = consumer.thread().id();
    feed.push((), true);
    drop(feed);
    consumer.join().unwrap();
    assert_eq!(*dropped_by.lock().unwrap(), Some(id));
}
