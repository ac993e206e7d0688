// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a real-time thread can count on: no allocation, no lock, bounded memory, a known price.

pub mod child;
mod instructions;
mod plot;

use super::Suite;
use crate::Result;
use crate::allocator::allocations;
use crate::caller::nanoseconds_per_call;
use crate::contestants::{Entry, pooled};
use crate::figure::Figure;
use crate::figure::Limit::{self, AtMost};
use crate::measure::Spread;
use crate::progress;
use child::{Job, Meanwhile, Mode};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

pub const SUITE: Suite =
    Suite { name: "realtime", peers: &["closure-ffi", "libffi"], portable: false, run };

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
/// Calls in which nothing may happen.
const CALLS: u64 = 10_000_000;

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 3 + Mode::ALL.len() * Meanwhile::ALL.len());
    let mut figures = Vec::new();
    bar.set_message("allocations");
    let allocated = allocations_in_calls();
    let meaning = "allocations in 10 million calls, two new threads' first ones included";
    figures.push(Figure::new("allocations_after_start", one(allocated), AtMost(0.0), meaning));
    bar.inc(1);

    bar.set_message("instructions, by callgrind");
    figures.extend(instructions::figures()?);
    bar.inc(1);

    bar.set_message("first calls");
    for (name, attached) in [("first_call_ns", true), ("first_call_ns_from_reserve", false)] {
        let how = if attached { "attached" } else { "that finds its record in the reserve" };
        let meaning = format!("the first call of a thread {how}; the high end is the slowest");
        figures.push(Figure::new(name, first_calls(attached), Limit::None, &meaning));
    }
    bar.inc(1);

    let mut curves = Vec::new();
    for meanwhile in Meanwhile::ALL {
        let during = meanwhile.name();
        for mode in Mode::ALL {
            bar.set_message(format!("worst calls during {during}, {}", mode.name()));
            let mut times = child::start::<Vec<u64>>(Job::Worst(mode, meanwhile))?;
            let worst = times.remove(0) as f64 / 1000.0;
            let meaning = match mode {
                Mode::Loop => {
                    "microseconds: the slowest pass of a loop that calls nothing, meanwhile".into()
                }
                _ => {
                    format!("microseconds: the slowest of 10 million calls during 100,000 {during}")
                }
            };
            let name = format!("worst_us_during_{during}.{}", mode.name());
            figures.push(Figure::new(&name, one(worst), Limit::None, &meaning));
            if meanwhile == Meanwhile::Unregisters {
                curves.push((mode, times));
            }
            bar.inc(1);
        }
    }
    let path = plot::draw(&curves)?;
    bar.finish_and_clear();
    println!("plot      {}\n", path.display());

    let bytes = |bytes: usize| one(bytes as f64);
    let slot = "bytes of memory; its thunk is 16 bytes of code beside that";
    figures.push(Figure::new(
        "bytes_per_slot",
        bytes(ringback::BYTES_PER_SLOT),
        AtMost(128.0),
        slot,
    ));
    let thread = "bytes: its record and its thread-local storage";
    let value = bytes(ringback::BYTES_PER_THREAD);
    figures.push(Figure::new("bytes_per_thread", value, AtMost(1024.0), thread));
    Ok(figures)
}

fn one(value: f64) -> Spread {
    Spread { median: value, low: value, high: value }
}

/// Allocations of the whole process while two threads that never called before make all the calls.
fn allocations_in_calls() -> f64 {
    const THREADS: u64 = 2;
    let ringback = pooled::contestant(FACTOR);
    let entry = ringback.entry;
    let gate = Barrier::new(THREADS as usize + 1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                gate.wait();
                gate.wait();
                nanoseconds_per_call(entry, FACTOR, CALLS / THREADS); // checks what it is answered
                gate.wait();
                gate.wait();
            });
        }
        gate.wait();
        let before = allocations();
        gate.wait();
        gate.wait();
        let during = allocations() - before;
        gate.wait();
        during as f64
    })
}

/// Nanoseconds of the first call of fresh threads.
fn first_calls(attached: bool) -> Spread {
    let ringback = pooled::contestant(FACTOR);
    let Entry::Plain(function) = ringback.entry else {
        unreachable!("ringback's is a bare function")
    };
    let samples: Vec<f64> = (0..300)
        .map(|_| {
            let first = move || {
                if attached {
                    ringback::attach_thread();
                }
                let begin = Instant::now();
                // SAFETY: the registration lives until the end of this function.
                let answer = unsafe { function(3) };
                let elapsed = begin.elapsed();
                assert_eq!(answer, FACTOR.wrapping_mul(3));
                elapsed.as_nanos() as f64
            };
            thread::spawn(first).join().expect("the listener answers right")
        })
        .collect();
    Spread::of(&samples)
}
