// SPDX-License-Identifier: MIT OR Apache-2.0

//! What it costs to register a listener, and to get rid of it again.

use super::Suite;
use crate::Result;
use crate::caller::nanoseconds_per_call;
use crate::companion::Companion;
use crate::contestants::{Entry, Plain, closure_ffi::Made, listener};
use crate::figure::Figure;
use crate::figure::Limit::AtMost;
use crate::measure::Pairs;
use crate::progress;
use ringback::{Pool, Protection, Registration, Signature, callback_pool, retire_all};
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

pub const SUITE: Suite = Suite { name: "register", peers: &["closure-ffi"], portable: true, run };

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
const ROUNDS: usize = 31;
/// What is made and dropped one by one in a sample.
const SINGLES: usize = 10_000;
/// What is unregistered one by one in a sample, at some microseconds each.
const PROOFS: usize = 500;
/// What is retired together in a sample.
const BATCH: usize = 5_000;
/// Slots of the pools of which one is full to 99 %.
const LARGE: usize = 10_000;

callback_pool! {
    static POOL: Pool<extern "C" fn(u64) -> u64, { BATCH + 1 }>;
    fallback = u64::MAX;
    reuse = oldest_first;
}
callback_pool! {
    static EMPTY: Pool<extern "C" fn(u64) -> u64, LARGE>;
    fallback = u64::MAX;
    reuse = oldest_first;
}
callback_pool! {
    static FULL: Pool<extern "C" fn(u64) -> u64, LARGE>;
    fallback = u64::MAX;
    reuse = oldest_first;
}

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 5);
    let mut figures = Vec::new();
    let mut plain = Vec::new();

    // Before any other thread calls in: what a program does while it starts.
    bar.set_message("5,000 registered, then dropped");
    let pairs = Pairs::measure(ROUNDS, || register_all(true), || closure_ffi_all(true))?;
    let meaning = "times closure-ffi's create and drop; 5,000 made, then dropped one by one";
    figures.push(Figure::new("register_over_closure_ffi", pairs.ratio(), AtMost(1.0), meaning));
    plain.push(Figure::plain("  5,000: register and drop", pairs.first(), "ns each"));
    plain.push(Figure::plain("  closure-ffi: create and drop", pairs.second(), "ns each"));
    let pairs = Pairs::measure(ROUNDS, || register_all(false), || closure_ffi_all(false))?;
    plain.push(Figure::plain("  5,000: register alone", pairs.first(), "ns each"));
    plain.push(Figure::plain("  closure-ffi: create alone", pairs.second(), "ns each"));
    bar.inc(1);

    bar.set_message("registered and dropped at once");
    let pairs = Pairs::measure(ROUNDS, || register_and_drop(&POOL), closure_ffi)?;
    let meaning = "times closure-ffi's, where each is dropped before the next is made";
    plain.push(Figure::plain("  at once: over closure-ffi", pairs.ratio(), meaning));
    plain.push(Figure::plain("  at once: register and drop", pairs.first(), "ns each"));
    plain.push(Figure::plain("  closure-ffi: create and drop", pairs.second(), "ns each"));
    bar.inc(1);

    bar.set_message("full and empty pools");
    let held = fill(&FULL, LARGE * 99 / 100);
    let pairs = Pairs::measure(ROUNDS, || register_and_drop(&FULL), || register_and_drop(&EMPTY))?;
    drop(held);
    let meaning = "register and drop: a pool 99 % full over an empty one";
    figures.push(Figure::new("full_over_empty", pairs.ratio(), AtMost(1.5), meaning));
    plain.push(Figure::plain("  in a pool 99 % full", pairs.first(), "ns"));
    plain.push(Figure::plain("  in an empty pool", pairs.second(), "ns"));
    bar.inc(1);

    // From here on another thread is inside another slot nearly all the time.
    if ringback::protection() != Some(Protection::Membarrier) {
        return Err("membarrier(2) is not to be had here, so quiet costs something else".into());
    }
    let called = POOL.register(listener(FACTOR))?;
    let entry = Entry::Plain(called.as_fn());
    let (quiet, batch, singly) = Companion::run(entry, FACTOR, |companion| {
        bar.set_message("unregister with proof");
        let quiet = pairs_beside(companion, unregister_each, membarrier)?;
        bar.inc(1);
        bar.set_message("retire together");
        let batch = pairs_beside(companion, retire_together, closure_ffi_together)?;
        let singly = pairs_beside(companion, retire_together, closure_ffi)?;
        bar.inc(1);
        Ok((quiet, batch, singly))
    })?;
    drop(called);
    let meaning = "unregister, proved, over a bare membarrier; a thread calls another slot";
    figures.insert(1, Figure::new("quiet_over_membarrier", quiet.ratio(), AtMost(1.5), meaning));
    plain.push(Figure::plain("  unregister, proved", quiet.first(), "ns; a thread calls"));
    plain.push(Figure::plain("  membarrier", quiet.second(), "ns; a thread calls"));
    let meaning =
        "each of 5,000 retired together over each of 5,000 of closure-ffi made and dropped";
    figures.insert(2, Figure::new("batch_over_closure_ffi", batch.ratio(), AtMost(1.5), meaning));
    plain.push(Figure::plain("  each of 5,000 together", batch.first(), "ns; a thread calls"));
    plain.push(Figure::plain("  closure-ffi, each of 5,000", batch.second(), "ns; a thread calls"));
    let meaning = "times closure-ffi's, where each is dropped before the next is made";
    plain.push(Figure::plain("  batch over at once", singly.ratio(), meaning));
    bar.finish_and_clear();

    figures.extend(plain);
    Ok(figures)
}

/// Pairs of which every sample was taken while the companion was calling.
fn pairs_beside(
    companion: &Companion,
    first: fn() -> Result<f64>,
    second: fn() -> Result<f64>,
) -> Result<Pairs> {
    Pairs::measure(ROUNDS, || companion.beside(first), || companion.beside(second))
}

/// Nanoseconds for each of `count`.
fn each(elapsed: Duration, count: usize) -> f64 {
    elapsed.as_secs_f64() * 1e9 / count as f64
}

/// Checks, outside of what is timed, that a function leads to its listener.
fn check(function: Plain) {
    nanoseconds_per_call(Entry::Plain(function), FACTOR, 3);
}

/// A pool of this suite's signature.
trait Numbers: Signature<Pointer = extern "C" fn(u64) -> u64> {
    fn register(pool: &'static Pool<Self>) -> Registration<Self>;
}

macro_rules! numbers {
    ($($pool:ident),+) => { $(
        impl Numbers for $pool {
            #[inline]
            fn register(pool: &'static Pool<Self>) -> Registration<Self> {
                pool.register(listener(FACTOR)).expect("the pool has free slots")
            }
        }
    )+ };
}
numbers!(POOL, EMPTY, FULL);

fn register_and_drop<S: Numbers>(pool: &'static Pool<S>) -> Result<f64> {
    let live = pool.stats().census.live;
    let begin = Instant::now();
    for _ in 0..SINGLES {
        let registration = S::register(pool);
        black_box(registration.as_fn());
        drop(registration);
    }
    let elapsed = begin.elapsed();
    assert_eq!(pool.stats().census.live, live, "every slot was given back");
    check(S::register(pool).as_fn());
    Ok(each(elapsed, SINGLES))
}

fn closure_ffi() -> Result<f64> {
    let begin = Instant::now();
    for _ in 0..SINGLES {
        let made = Made::new_c(listener(FACTOR));
        black_box(made.bare());
        drop(made);
    }
    let elapsed = begin.elapsed();
    check(Made::new_c(listener(FACTOR)).bare());
    Ok(each(elapsed, SINGLES))
}

fn fill<S: Numbers>(pool: &'static Pool<S>, count: usize) -> Vec<Registration<S>> {
    (0..count).map(|_| S::register(pool)).collect()
}

/// Registers as many as are retired together elsewhere; drops them one by one, timed or not.
fn register_all(time_drop: bool) -> Result<f64> {
    let make = || POOL.register(listener(FACTOR)).expect("the pool has free slots");
    made_and_dropped(make, |registration| registration.as_fn(), time_drop)
}

/// The same by closure-ffi.
fn closure_ffi_all(time_drop: bool) -> Result<f64> {
    made_and_dropped(|| Made::new_c(listener(FACTOR)), Made::bare, time_drop)
}

fn made_and_dropped<T>(
    make: impl Fn() -> T,
    function: impl Fn(&T) -> Plain,
    time_drop: bool,
) -> Result<f64> {
    let mut all = Vec::with_capacity(BATCH);
    let begin = Instant::now();
    for _ in 0..BATCH {
        let made = make();
        black_box(function(&made));
        all.push(made);
    }
    let mut elapsed = begin.elapsed();
    all.iter().for_each(|made| check(function(made)));
    let begin = Instant::now();
    drop(all);
    if time_drop {
        elapsed += begin.elapsed();
    }
    Ok(each(elapsed, BATCH))
}

/// The peer of a batch: as many alive at once.
fn closure_ffi_together() -> Result<f64> {
    closure_ffi_all(true)
}

fn unregister_each() -> Result<f64> {
    let all = fill(&POOL, PROOFS);
    check(all[0].as_fn());
    let begin = Instant::now();
    for registration in all {
        let quiet = registration.unregister()?;
        drop(quiet);
    }
    let elapsed = begin.elapsed();
    assert_eq!(POOL.stats().census.live, 1, "only the one that is being called is left");
    Ok(each(elapsed, PROOFS))
}

fn membarrier() -> Result<f64> {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3; // <linux/membarrier.h>
    let begin = Instant::now();
    for _ in 0..PROOFS {
        // SAFETY: takes two integers and touches no memory of ours.
        if unsafe { libc::syscall(libc::SYS_membarrier, PRIVATE_EXPEDITED, 0) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
    }
    Ok(each(begin.elapsed(), PROOFS))
}

fn retire_together() -> Result<f64> {
    let all = fill(&POOL, BATCH);
    check(all[0].as_fn());
    let begin = Instant::now();
    let proofs = retire_all(all).wait()?;
    let retired = proofs.len();
    drop(proofs);
    let elapsed = begin.elapsed();
    assert_eq!(retired, BATCH, "all were proved quiet");
    assert_eq!(POOL.stats().census.live, 1, "only the one that is being called is left");
    Ok(each(elapsed, BATCH))
}
