// SPDX-License-Identifier: MIT OR Apache-2.0

//! Order and balance under load.

use super::{Message, ON_MESSAGE};
use crate::Result;
use ringback::{Mailbox, OverflowPolicy, Take};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;
use std::time::Duration;

pub struct Checked {
    pub out_of_order: u64,
    pub unaccounted: u64,
}

const BLOCK: OverflowPolicy<i32> =
    OverflowPolicy::Block { at_most: Duration::from_secs(60), or: -2 };

/// Every producer numbers its messages to each listener; each listener looks at the numbers.
pub fn check(messages: u64, producers: u64, listeners: usize) -> Result<Checked> {
    let runtime = super::handover::Shape::Ringback.runtime();
    let wrong = Arc::new(AtomicU64::new(0));
    let mut registrations = Vec::new();
    for _ in 0..listeners {
        let wrong = Arc::clone(&wrong);
        let mut last = vec![0_u64; producers as usize];
        let (registration, deliver) = ON_MESSAGE.register_async(
            Mailbox::bounded(1024).overflow(BLOCK),
            |message| Take::Accept(*message, 0),
            async move |message: Message| {
                let last = &mut last[message.rest[0] as usize];
                if message.number != *last + 1 {
                    wrong.fetch_add(1, Relaxed);
                }
                *last = message.number;
            },
        )?;
        runtime.spawn(deliver);
        registrations.push(registration);
    }
    let functions: Vec<_> = registrations.iter().map(|registration| registration.as_fn()).collect();
    let each = messages / producers / listeners as u64;
    thread::scope(|scope| {
        for producer in 0..producers {
            let functions = &functions;
            scope.spawn(move || {
                for number in 1..=each {
                    for function in functions {
                        let message = Message { number, rest: [producer; 7] };
                        // SAFETY: a valid message.
                        assert_eq!(unsafe { function(&message) }, 0);
                    }
                }
            });
        }
    });
    let mut unaccounted = 0;
    let mut completed = 0;
    for registration in registrations {
        let counts = runtime.block_on(registration.drain())?.counts;
        unaccounted += counts.unaccounted().unsigned_abs();
        completed += counts.completed;
    }
    let lost = (each * producers * listeners as u64).abs_diff(completed);
    Ok(Checked { out_of_order: wrong.load(Relaxed), unaccounted: unaccounted + lost })
}

/// Every policy with and without coalescing and expiry, under two producers and a small mailbox.
pub fn unaccounted_over_policies() -> Result<u64> {
    const SENT: u64 = 200_000;
    let runtime = super::handover::Shape::Ringback.runtime();
    let mut unaccounted = 0;
    for policy in [
        OverflowPolicy::Reject(-2),
        OverflowPolicy::DropNewest,
        OverflowPolicy::DisplaceOldest,
        BLOCK,
    ] {
        for (keyed, expires) in [(false, false), (true, false), (false, true)] {
            let mut mailbox = Mailbox::bounded(16).overflow(policy);
            if keyed {
                mailbox = mailbox.coalesce_by(|message: &Message| message.number % 64);
            }
            if expires {
                mailbox = mailbox.expire_after(Duration::from_micros(20));
            }
            let (registration, deliver) = ON_MESSAGE.register_async(
                mailbox,
                |message| {
                    if message.number % 7 == 0 {
                        Take::Decline(-3)
                    } else {
                        Take::Accept(*message, 0)
                    }
                },
                async |message: Message| {
                    std::hint::black_box(message);
                },
            )?;
            runtime.spawn(deliver);
            let function = registration.as_fn();
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(move || {
                        for number in 0..SENT / 2 {
                            // SAFETY: a valid message.
                            unsafe { function(&Message::numbered(number)) };
                        }
                    });
                }
            });
            let counts = runtime.block_on(registration.drain())?.counts;
            unaccounted += counts.unaccounted().unsigned_abs() + counts.sent().abs_diff(SENT);
        }
    }
    Ok(unaccounted)
}
