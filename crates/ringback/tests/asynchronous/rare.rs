// SPDX-License-Identifier: MIT OR Apache-2.0

//! What seldom happens.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

#[test]
fn mailboxes_may_be_allocated_beforehand() {
    for coalescing in [false, true] {
        let mut mailbox = Mailbox::bounded(100).overflow(reject()).preallocated();
        if coalescing {
            mailbox = mailbox.coalesce_by(|x| *x);
        }
        let (r, deliver) = POOL.register_async(mailbox, accept, async |_| ()).unwrap();
        let f = r.as_fn();
        assert!((0..100).all(|x| f(x) == 0));
        assert_eq!(f(100), REJECTED);
        let drained = block_on(join(deliver, r.drain())).1.unwrap();
        assert_eq!(balanced(drained.counts).completed, 100);
    }
}

#[test]
fn batches_yield_when_their_budget_is_used_up_and_end_on_a_panic() {
    quiet_panics();
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let s = sizes.clone();
    let mailbox = Mailbox::bounded(100).overflow(reject()).budget(4).end_on_panic();
    let (r, deliver) = POOL
        .register_async_batches(mailbox, 2, accept, async move |mut batch| {
            let messages: Vec<u64> = batch.drain().collect();
            s.lock().unwrap().push(messages.len());
            assert!(!messages.contains(&20), "provoked");
        })
        .unwrap();
    let f = r.as_fn();
    assert!((0..30).all(|x| f(x) == 0));
    let mut deliver = pin!(deliver);
    assert!(poll_once(deliver.as_mut()).is_pending());
    assert_eq!(*sizes.lock().unwrap(), [2, 2], "the budget is four messages");
    block_on(deliver);
    assert_eq!(*sizes.lock().unwrap(), [2; 11], "it ends with the batch that panicked");
    let counts = balanced(r.counts());
    assert_eq!((counts.completed, counts.panicked, counts.discarded), (20, 2, 8));
}

/// A task whose waking panics.
struct Grumpy(AtomicUsize);

impl Wake for Grumpy {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        std::panic::resume_unwind(Box::new("provoked"));
    }
}

#[test]
fn batches_go_on_after_a_panic_if_they_are_to() {
    quiet_panics();
    let mailbox = Mailbox::bounded(100).overflow(reject());
    let (r, deliver) = POOL
        .register_async_batches(mailbox, 2, accept, async move |mut batch| {
            assert!(!batch.drain().any(|message| message == 2), "provoked");
        })
        .unwrap();
    let f = r.as_fn();
    assert!((0..10).all(|x| f(x) == 0));
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    let counts = balanced(drained.counts);
    assert_eq!((counts.completed, counts.panicked, counts.discarded), (8, 2, 0));
}

#[test]
fn a_waker_that_panics_does_not_reach_the_foreign_caller() {
    let (r, deliver) =
        POOL.register_async(Mailbox::bounded(4).overflow(reject()), accept, async |_| ()).unwrap();
    let grumpy = Arc::new(Grumpy(AtomicUsize::new(0)));
    let waker = Waker::from(grumpy.clone());
    let mut deliver = pin!(deliver);
    assert!(deliver.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!((r.as_fn())(1), 0, "the message is accepted all the same");
    assert_eq!(grumpy.0.load(SeqCst), 1);
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    assert_eq!(balanced(drained.counts).completed, 1);
}

#[test]
fn a_stall_is_none_where_nothing_waits_or_something_was_finished() {
    let (r, deliver) =
        POOL.register_async(Mailbox::bounded(4).overflow(reject()), accept, async |_| ()).unwrap();
    let mut watch = r.watch_stall(Duration::ZERO);
    assert_eq!(watch.check(), None);
    let f = r.as_fn();
    assert_eq!([f(1), f(2)], [0, 0]);
    assert_eq!(watch.check().map(|stalled| stalled.waiting), Some(2));
    let mut deliver = pin!(deliver);
    assert!(poll_once(deliver.as_mut()).is_pending());
    assert_eq!(f(3), 0);
    assert_eq!(watch.check(), None, "two were finished since");
    assert!(watch.check().is_some());
}

#[test]
fn limits_of_a_drain_may_be_endless_or_outlive_it() {
    let open = || {
        POOL.register_async(Mailbox::bounded(4).overflow(reject()), accept, async |_| ()).unwrap()
    };
    let (r, deliver) = open();
    assert!(block_on(join(deliver, r.drain().timeout(Duration::MAX))).1.is_ok());
    // Drained long before the limit, while somebody still looks at the mailbox.
    let (r, deliver) = open();
    let mut watch = r.watch_stall(Duration::ZERO);
    assert!(block_on(join(deliver, r.drain().timeout(Duration::from_secs(3600)))).1.is_ok());
    // Given up before the limit, and the mailbox with it.
    let (r, deliver) = open();
    drop(r.drain().timeout(Duration::from_millis(45)));
    thread::sleep(Duration::from_millis(20)); // the thread that keeps the limit has looked once
    drop(deliver);
    let (r, deliver) = open();
    drop(r.drain().timeout(Duration::from_secs(3600)));
    drop(deliver);
    // The threads that keep the limits look every 50 ms.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(watch.check(), None);
}

#[test]
fn a_drain_waits_for_the_call_that_is_inside() {
    let _alive = watchdog("a drain under a call");
    for deliver_is_dropped in [false, true] {
        let (entered, is_inside) = std::sync::mpsc::channel();
        let (leave, may_leave) = std::sync::mpsc::channel::<()>();
        let may_leave = Mutex::new(may_leave);
        let take = move |x| {
            entered.send(()).unwrap();
            let _ = may_leave.lock().unwrap().recv();
            accept(x)
        };
        let mailbox = Mailbox::bounded(4).overflow(reject());
        let (r, deliver) = POOL.register_async(mailbox, take, async |_| ()).unwrap();
        let f = r.as_fn();
        let caller = thread::spawn(move || f(1));
        is_inside.recv().unwrap();
        let mut drain = pin!(r.drain());
        let mut deliver = Some(Box::pin(deliver));
        if deliver_is_dropped {
            deliver = None;
        }
        let context = &mut Context::from_waker(Waker::noop());
        assert!(drain.as_mut().poll(context).is_pending(), "a call is inside");
        drop(leave);
        assert_eq!(caller.join().unwrap(), REJECTED, "its message comes after the end");
        let drained = match deliver {
            Some(deliver) => block_on(join(deliver, drain)).1.unwrap(),
            None => block_on(drain).unwrap(),
        };
        let counts = balanced(drained.counts);
        assert_eq!((counts.rejected, counts.accepted), (1, 0));
    }
}

/// All there is, however much: what is set aside is bounded by the mailbox.
#[test]
fn a_batch_of_any_size_takes_no_more_than_the_mailbox() {
    let (r, deliver) = POOL
        .register_async_batches(Mailbox::bounded(4), usize::MAX, accept, async |batch| {
            assert_eq!(batch.len(), 3);
        })
        .unwrap();
    assert!((0..3).all(|x| (r.as_fn())(x) == 0));
    let drained = block_on(join(deliver, r.drain())).1.unwrap();
    assert_eq!(balanced(drained.counts).completed, 3);
}
