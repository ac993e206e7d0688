// SPDX-License-Identifier: MIT OR Apache-2.0

//! loom explores the mailbox: push against pop, parking, displacement, and both ends going away.

use super::inbox::Inbox;
use super::keyed::Keyed;
use super::ring::{Ring, Stamped};
use super::shared::{CONSUMER, PRODUCERS, Queue, SETTLED, Shared};
use crate::sync::{Mutex, Ordering::*};
use loom::thread;
use std::future::poll_fn;
use std::sync::Arc;

fn model(bound: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.max_branches = 20_000;
    builder.check(check);
}

/// A message that loom watches: a leak or a double drop fails the model.
type Message = loom::sync::Arc<u32>;

fn message(number: u32) -> Stamped<Message> {
    Stamped { message: loom::sync::Arc::new(number), arrived: 0 }
}

fn ring(capacity: usize) -> Arc<Shared<Message>> {
    Arc::new(Shared::new(Queue::Ring(Ring::new(capacity, false, false))))
}

fn number(value: Stamped<Message>) -> u32 {
    *value.message
}

#[test]
fn two_producers_keep_their_order_and_nothing_is_lost() {
    model(3, || {
        let shared = ring(3);
        let other = shared.clone();
        let producer = thread::spawn(move || {
            assert!(other.push(0, message(10)).is_ok());
            assert!(other.push(0, message(11)).is_ok());
        });
        assert!(shared.push(0, message(20)).is_ok());
        let mut seen: Vec<_> = shared.pop().map(number).into_iter().collect();
        producer.join().unwrap();
        seen.extend(std::iter::from_fn(|| shared.pop().map(number)));
        let tens: Vec<_> = seen.iter().filter(|n| **n < 20).collect();
        assert_eq!(tens, [&10, &11]);
        assert_eq!(seen.len(), 3);
        assert_eq!(shared.passed(), (3, 3));
    });
}

#[test]
fn a_sole_consumer_takes_without_competing() {
    model(3, || {
        let shared = Arc::new(Shared::new(Queue::Ring(Ring::new(1, false, true))));
        let other = shared.clone();
        let producer = thread::spawn(move || {
            for number in 1..=2 {
                while other.push(0, message(number)).is_err() {
                    thread::yield_now();
                }
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match shared.pop() {
                Some(value) => seen.push(number(value)),
                None => thread::yield_now(),
            }
        }
        producer.join().unwrap();
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn a_full_ring_gives_the_message_back_and_goes_round() {
    model(3, || {
        let shared = ring(1);
        assert!(shared.push(0, message(1)).is_ok());
        assert_eq!(shared.push(0, message(9)).map_err(number), Err(9));
        let other = shared.clone();
        let producer = thread::spawn(move || {
            while other.push(0, message(2)).is_err() {
                thread::yield_now();
            }
        });
        assert_eq!(shared.pop().map(number), Some(1));
        producer.join().unwrap();
        assert_eq!(shared.pop().map(number), Some(2));
    });
}

#[test]
fn displacing_and_delivering_share_the_messages_out() {
    model(3, || {
        let shared = ring(2);
        assert!(shared.push(0, message(1)).is_ok() && shared.push(0, message(2)).is_ok());
        let other = shared.clone();
        let consumer = thread::spawn(move || other.pop().map(number));
        let displaced = shared.pop().map(number);
        let taken = consumer.join().unwrap();
        let rest = shared.pop().map(number);
        let mut all: Vec<_> = [displaced, taken, rest].into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}

#[test]
fn a_message_in_the_middle_of_being_handed_over_costs_at_most_one_other() {
    model(3, || {
        let shared = ring(3);
        (1..=3).for_each(|number| assert!(shared.push(0, message(number)).is_ok()));
        let other = shared.clone();
        let consumer = thread::spawn(move || other.pop().map(number));
        let queued = shared.displace(0, message(4));
        let mut seen: Vec<_> = consumer.join().unwrap().into_iter().collect();
        seen.extend(std::iter::from_fn(|| shared.pop().map(number)));
        let displaced = shared.displaced.load(Relaxed);
        assert!(displaced <= 1, "{displaced} went for one, and {seen:?} are left");
        assert_eq!(seen.len() + displaced as usize, 3 + usize::from(queued));
    });
}

#[test]
fn a_parked_consumer_is_woken_by_a_push() {
    model(3, || {
        let shared = ring(2);
        let producer = shared.clone();
        let push = thread::spawn(move || assert!(producer.push(0, message(7)).is_ok()));
        let mut inbox = Inbox::new(shared, 0);
        // Blocks until woken: loom reports a deadlock if the wake-up is lost.
        let next = loom::future::block_on(poll_fn(|context| inbox.poll_next(context)));
        assert_eq!(next.as_deref(), Some(&7));
        push.join().unwrap();
    });
}

#[test]
fn a_parked_consumer_of_a_coalescing_mailbox_is_woken_too() {
    model(3, || {
        let shared = Arc::new(Shared::new(Queue::Keyed(Mutex::new(Keyed::new(2, false)))));
        let producer = shared.clone();
        let push = thread::spawn(move || assert!(producer.push(1, message(7)).is_ok()));
        let mut inbox = Inbox::new(shared, 0);
        let next = loom::future::block_on(poll_fn(|context| inbox.poll_next(context)));
        assert_eq!(next.as_deref(), Some(&7));
        push.join().unwrap();
    });
}

#[test]
fn the_last_push_before_the_end_is_still_delivered() {
    model(3, || {
        let shared = ring(2);
        let producer = shared.clone();
        let push = thread::spawn(move || {
            assert!(producer.push(0, message(7)).is_ok());
            producer.leave(PRODUCERS);
        });
        let mut inbox = Inbox::new(shared.clone(), 0);
        let mut next = || loom::future::block_on(poll_fn(|context| inbox.poll_next(context)));
        assert_eq!(next().as_deref(), Some(&7));
        assert!(next().is_none());
        drop(inbox);
        push.join().unwrap();
        assert_eq!(shared.gone.load(SeqCst), PRODUCERS | CONSUMER | SETTLED);
    });
}

#[test]
fn what_is_pushed_while_the_consumer_goes_is_discarded_once() {
    model(3, || {
        let shared = ring(2);
        let producer = shared.clone();
        let push = thread::spawn(move || {
            let pushed = producer.push(0, message(7)).is_ok();
            producer.leave(PRODUCERS);
            pushed
        });
        drop(Inbox::new(shared.clone(), 0));
        assert!(push.join().unwrap());
        assert_eq!(shared.gone.load(SeqCst), PRODUCERS | CONSUMER | SETTLED);
        assert_eq!(shared.delivered.discarded.load(SeqCst), 1);
        assert_eq!(shared.passed(), (1, 1));
    });
}
