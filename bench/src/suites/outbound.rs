// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a callback with user data costs, either way, and whether it is released exactly once.

mod dotnet;

use super::Suite;
use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::AtMost;
use crate::measure::{Pairs, Spread};
use crate::progress;
use ringback::abi::RbCallback;
use ringback::{Callback, UserData};
use std::ffi::c_void;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

pub const SUITE: Suite = Suite { name: "outbound", peers: &[], portable: false, run };

ringback::callback_type!(struct OnValue: fn(value: i64) -> i64);

type Raw = unsafe extern "C" fn(*mut c_void, i64) -> i64;

/// The object of a storm, in C++.
enum Witness {}

// Named here, since a build script's libraries go to the package's library, not to this program.
#[link(name = "ringback_bench_outbound", kind = "static")]
#[link(name = "stdc++")]
unsafe extern "C" {
    fn bench_raw(context: *mut c_void, value: i64) -> i64;
    fn bench_callback(factor: i64) -> OnValue;
    fn bench_call_function(given: *const OnValue, factor: i64, calls: i64) -> i64;
    fn bench_witnessed(witness: *mut *const Witness) -> RbCallback;
    fn bench_releases(witness: *const Witness) -> i64;
    fn bench_after_release(witness: *const Witness) -> i64;
}

const FACTOR: i64 = 0x9E37_79B9;
const CALLS: i64 = 1_000_000;
const ROUNDS: usize = 31;

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 6);
    let step = |message: &'static str| {
        bar.inc(1);
        bar.set_message(message);
    };
    let mut figures = Vec::new();
    step("Rust calls C++");
    rust_calls_cpp(&mut figures)?;
    step("C++ calls Rust");
    cpp_calls_rust(&mut figures)?;
    step("clone and drop");
    clone_and_drop(&mut figures)?;
    step("storm");
    storm(&mut figures)?;
    step(".NET");
    let (dotnet, rows) = dotnet::figures()?;
    figures.splice(2..2, dotnet);
    figures.extend(rows);
    bar.finish_and_clear();
    Ok(figures)
}

/// Nanoseconds per call of a loop whose sum is checked.
fn timed(calls: impl FnOnce() -> i64) -> f64 {
    let start = Instant::now();
    let sum = calls();
    let nanoseconds = start.elapsed().as_nanos() as f64;
    let expected = (0..CALLS).fold(0_i64, |sum, i| sum.wrapping_add(i.wrapping_mul(FACTOR)));
    assert_eq!(sum, expected, "every call has answered right");
    nanoseconds / CALLS as f64
}

fn looped(call: impl Fn(i64) -> i64) -> f64 {
    timed(|| (0..CALLS).fold(0_i64, |sum, i| sum.wrapping_add(call(i))))
}

fn rust_calls_cpp(figures: &mut Vec<Figure>) -> Result<()> {
    // SAFETY: makes a callback of this signature.
    let callback = unsafe { bench_callback(FACTOR) }.adopt()?;
    let mut factor = FACTOR;
    let raw: (Raw, *mut c_void) = black_box((bench_raw, (&raw mut factor).cast()));
    let callback = black_box(callback);
    let pairs = Pairs::measure(
        ROUNDS,
        || Ok(looped(|i| callback.call(i).expect("C++ does not throw here"))),
        // SAFETY: `bench_raw` reads its factor.
        || Ok(looped(|i| unsafe { raw.0(raw.1, i) })),
    )?;
    let meaning = "times a bare C++ function with user data, called from Rust";
    figures.push(Figure::new("cpp_over_raw", pairs.ratio(), AtMost(1.6), meaning));
    figures.push(Figure::plain("  Callback of a C++ lambda", pairs.first(), "ns per call"));
    figures.push(Figure::plain("  bare function, user data", pairs.second(), "ns per call"));

    let data = UserData::<Raw>::first(|| 0, |value| value * FACTOR)?;
    let user: (Raw, *mut c_void) = black_box((data.as_fn(), data.data()));
    let pairs = Pairs::measure(
        ROUNDS,
        // SAFETY: the function and its data.
        || Ok(looped(|i| unsafe { user.0(user.1, i) })),
        // SAFETY: as above.
        || Ok(looped(|i| unsafe { raw.0(raw.1, i) })),
    )?;
    let meaning = "times the same bare function: a closure as UserData, retired with proof";
    figures.push(Figure::plain("  UserData over raw", pairs.ratio(), meaning));
    drop(data.unregister()?);
    Ok(())
}

fn cpp_calls_rust(figures: &mut Vec<Figure>) -> Result<()> {
    let factor = black_box(FACTOR);
    let rust = OnValue::new(move |value| value.wrapping_mul(factor));
    let call = |given: Option<&OnValue>| {
        let given = given.map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: a callback of this signature, or none.
        timed(|| unsafe { bench_call_function(given, FACTOR, CALLS) })
    };
    let pairs = Pairs::measure(ROUNDS, || Ok(call(Some(&rust))), || Ok(call(None)))?;
    let meaning = "times a std::function of a C++ lambda: one of a Rust closure";
    let at = figures.len().min(1);
    figures
        .insert(at, Figure::new("std_function_over_native", pairs.ratio(), AtMost(1.8), meaning));
    figures.push(Figure::plain("  std::function, Rust closure", pairs.first(), "ns per call"));
    figures.push(Figure::plain("  std::function, C++ lambda", pairs.second(), "ns per call"));
    Ok(())
}

fn clone_and_drop(figures: &mut Vec<Figure>) -> Result<()> {
    let callback = OnValue::new(|value| value).adopt()?;
    let arc = Arc::new(0_u64);
    let times = |once: &dyn Fn()| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| once());
        start.elapsed().as_nanos() as f64 / CALLS as f64
    };
    let pairs = Pairs::measure(
        ROUNDS,
        || Ok(times(&|| drop(black_box(callback.clone())))),
        || Ok(times(&|| drop(black_box(Arc::clone(&arc))))),
    )?;
    assert_eq!((callback.strong_count(), Arc::strong_count(&arc)), (1, 1), "none is left");
    let meaning = "times clone and drop of an Arc";
    let at = figures.len().min(2);
    figures.insert(at, Figure::new("clone_drop_over_arc", pairs.ratio(), AtMost(1.2), meaning));
    figures.push(Figure::plain("  Callback clone and drop", pairs.first(), "ns"));
    figures.push(Figure::plain("  Arc clone and drop", pairs.second(), "ns"));
    Ok(())
}

/// Four threads clone, pass on, call, upgrade and drop callbacks of C++ objects that count.
fn storm(figures: &mut Vec<Figure>) -> Result<()> {
    const OBJECTS: usize = 2_000;
    const THREADS: usize = 4;
    let (mut double, mut missing, mut late) = (0, 0, 0);
    for _ in 0..OBJECTS {
        let mut witness = std::ptr::null();
        // SAFETY: makes one reference to a new object, and tells where it is.
        let callback = unsafe { OnValue::from_raw(bench_witnessed(&raw mut witness)) }.adopt()?;
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (callback, start) = (callback.clone(), &start);
                scope.spawn(move || in_a_storm(callback, start));
            }
            drop(callback);
        });
        // SAFETY: the object's memory is never freed.
        let (releases, after) = unsafe { (bench_releases(witness), bench_after_release(witness)) };
        double += (releases - 1).max(0);
        missing += i64::from(releases == 0);
        late += after;
    }
    if missing > 0 {
        return Err(format!("{missing} of {OBJECTS} objects were never released").into());
    }
    let count = |count: i64| Spread::of(&[count as f64]);
    let meaning = "of 2,000 C++ objects, each in a storm of 4 threads";
    figures.insert(3, Figure::new("double_releases", count(double), AtMost(0.0), meaning));
    let meaning = "in the same storms";
    figures.insert(4, Figure::new("calls_after_release", count(late), AtMost(0.0), meaning));
    Ok(())
}

fn in_a_storm(callback: Callback<OnValue>, start: &Barrier) {
    let weak = callback.downgrade();
    start.wait();
    for i in 0..50 {
        let clone = callback.clone();
        assert_eq!(clone.call(i), Ok(i));
        // Through the foreign side's own count, too.
        let passed_on = clone.to_foreign().adopt().expect("well-formed");
        drop(clone);
        assert_eq!(passed_on.call(i), Ok(i));
    }
    drop(callback);
    if let Some(late) = weak.upgrade() {
        assert_eq!(late.call(1), Ok(1));
    }
}
