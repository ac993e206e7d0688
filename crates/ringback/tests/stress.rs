// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ten million calls against a hundred thousand registrations: every call reaches the owner that
//! the pointer has at that moment, or is counted as stale.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::watchdog;
use ringback::{Registration, callback_pool, retire_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::thread;

const SLOTS: usize = 100_000;
const CALLS: u64 = 10_000_000;
const THREADS: u64 = 4;
const STALE: u64 = u64::MAX;

callback_pool! {
    static POOL: Pool<extern "C" fn(expected: u64) -> u64, SLOTS>;
    fallback = STALE;
}

/// A cheap, seeded generator: the calls hit the slots in no order.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn every_call_reaches_its_owner_or_is_counted() {
    let _alive = watchdog("the stress test");
    let alive = Arc::new(AtomicU64::new(0));
    struct Alive(Arc<AtomicU64>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
    // A listener answers with its slot, and with an arithmetic fact about the argument.
    let register = |alive: &Arc<AtomicU64>| {
        alive.fetch_add(1, Relaxed);
        let token = Alive(alive.clone());
        let reserved = POOL.reserve().unwrap();
        let slot = reserved.slot() as u64;
        reserved.bind(move |x| {
            let _ = &token;
            (slot << 32) | ((x * 3) & 0xffff_ffff)
        })
    };
    let mut all: Vec<Option<Registration<POOL>>> =
        (0..SLOTS).map(|_| Some(register(&alive))).collect();

    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (1..=THREADS)
        .map(|seed| {
            thread::spawn(move || {
                let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
                let (mut right, mut stale) = (0_u64, 0_u64);
                for _ in 0..CALLS / THREADS {
                    let slot = next(&mut random) % SLOTS as u64;
                    let argument = random & 0xffff;
                    let function = POOL.thunk(slot as usize).unwrap();
                    match function(argument) {
                        STALE => stale += 1,
                        answer if answer == (slot << 32) | (argument * 3) => right += 1,
                        answer => panic!("slot {slot} answered {answer:#x}"),
                    }
                }
                (right, stale)
            })
        })
        .collect();

    // Meanwhile: one by one and in batches, retire, confirm, register anew.
    let churn = {
        let (stop, alive) = (stop.clone(), alive.clone());
        thread::spawn(move || {
            let mut random = 42;
            let mut churned = 0_u64;
            while !stop.load(Relaxed) {
                let place = next(&mut random) as usize % SLOTS;
                if churned % 100 == 99 {
                    let batch: Vec<_> =
                        (0..200).filter_map(|i| all[(place + i) % SLOTS].take()).collect();
                    for quiet in retire_all(batch).wait().unwrap() {
                        quiet.confirm_forgotten();
                    }
                    for i in 0..200 {
                        all[(place + i) % SLOTS].get_or_insert_with(|| register(&alive));
                    }
                } else if let Some(registration) = all[place].take() {
                    registration.unregister().unwrap().confirm_forgotten();
                    all[place] = Some(register(&alive));
                }
                churned += 1;
            }
            (all, churned)
        })
    };
    let (mut right, mut stale) = (0, 0);
    for caller in callers {
        let (r, s) = caller.join().unwrap();
        right += r;
        stale += s;
    }
    stop.store(true, SeqCst);
    let (all, churned) = churn.join().unwrap();
    assert_eq!(right + stale, CALLS / THREADS * THREADS);
    assert_eq!(POOL.stats().stale, stale);
    assert!(churned > 0 && right > 0);
    assert_eq!(alive.load(Relaxed), SLOTS as u64, "each slot has one listener");
    retire_all(all.into_iter().flatten()).wait().unwrap();
    assert_eq!(alive.load(Relaxed), 0, "a listener is leaked");
    assert_eq!(POOL.stats().census.quarantined, SLOTS);
    println!("{right} right, {stale} stale, {churned} churned");
}
