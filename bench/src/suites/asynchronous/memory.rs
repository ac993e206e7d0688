// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the mailbox allocates: counted by the program's allocator.

use super::{Message, ON_MESSAGE};
use crate::allocator;
use ringback::{AsyncListener, FutureSlot, Mailbox, OverflowPolicy, SlotFuture, Take};
use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;
use std::time::Duration;

struct Counts(AtomicU64);

impl AsyncListener<Message> for Counts {
    fn handle<'a>(&'a self, message: Message, slot: &'a mut FutureSlot) -> SlotFuture<'a, ()> {
        slot.put(async move {
            self.0.fetch_add(black_box(message).rest[3] & 1 | 1, AcqRel);
        })
    }
}

/// Allocations per message after a first lap, on both sides of the mailbox.
pub fn allocations_per_message(trait_object: bool, messages: u64) -> f64 {
    let runtime = super::handover::Shape::Ringback.runtime();
    let block = OverflowPolicy::Block { at_most: Duration::from_secs(60), or: -2 };
    let mailbox = Mailbox::bounded(1024).overflow(block);
    let take = |message: &Message| Take::Accept(*message, 0);
    let counts = Arc::new(Counts(AtomicU64::new(0)));
    let inner = Arc::clone(&counts);
    let registration = if trait_object {
        let (registration, deliver) =
            ON_MESSAGE.register_async_dyn(mailbox, take, inner).expect("the pool has room");
        spawn(&runtime, deliver);
        registration
    } else {
        let (registration, deliver) = ON_MESSAGE
            .register_async(mailbox, take, async move |message| {
                inner.0.fetch_add(black_box(message).rest[3] & 1 | 1, AcqRel);
            })
            .expect("the pool has room");
        spawn(&runtime, deliver);
        registration
    };
    let function = registration.as_fn();
    thread::spawn(move || {
        let feed = |count: u64, until: u64| {
            for number in 0..count {
                // SAFETY: a valid message.
                assert_eq!(unsafe { function(&Message::numbered(number)) }, 0);
            }
            while counts.0.load(Acquire) < until {
                thread::yield_now();
            }
        };
        feed(10_000, 10_000); // every block of the ring has been reached
        let before = allocator::allocations();
        feed(messages, 10_000 + messages);
        (allocator::allocations() - before) as f64 / messages as f64
    })
    .join()
    .expect("the producer only asserts")
}

fn spawn(runtime: &tokio::runtime::Runtime, deliver: impl Future<Output = ()> + Send + 'static) {
    runtime.spawn(deliver);
}

/// What registering an async listener allocates, all told, before the first message.
pub fn idle_mailbox_bytes() -> u64 {
    const MAILBOXES: u64 = 100;
    let mut keep = Vec::with_capacity(MAILBOXES as usize);
    let before = allocator::bytes();
    for _ in 0..MAILBOXES {
        let mailbox = Mailbox::bounded(1024);
        let registered = ON_MESSAGE
            .register_async(
                mailbox,
                |message| Take::Accept(*message, 0),
                async |message: Message| {
                    black_box(message);
                },
            )
            .expect("the pool has room");
        keep.push(registered);
    }
    (allocator::bytes() - before) / MAILBOXES
}
