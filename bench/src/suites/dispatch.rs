// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a call costs: C calls a Rust listener that multiplies its argument by a captured number.

use super::Suite;
use crate::Result;
use crate::caller::nanoseconds_per_call;
use crate::contestants::{Entry, Plain, closure_ffi, libffi, mutex_map, pooled, raw};
use crate::figure::Figure;
use crate::figure::Limit::{self, AtMost};
use crate::measure::{Pairs, Spread};
use crate::progress;
use libloading::{Library, Symbol};
use std::sync::Barrier;
use std::thread;

pub const SUITE: Suite =
    Suite { name: "dispatch", peers: &["closure-ffi", "libffi"], portable: true, run };

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
/// Calls per sample: some milliseconds.
const CALLS: u64 = 1_000_000;
const ROUNDS: usize = 31;

fn run() -> Result<Vec<Figure>> {
    let ringback = pooled::contestant(FACTOR);
    let peers: [(&str, Limit, _); 4] = [
        ("over_closure_ffi", AtMost(1.5), closure_ffi::contestant(FACTOR)),
        ("over_raw_boxed", AtMost(1.6), raw::contestant(FACTOR)),
        ("over_libffi", AtMost(0.35), libffi::contestant(FACTOR)),
        ("over_mutex_map", AtMost(0.15), mutex_map::contestant(FACTOR)),
    ];
    let bar = progress::bar(SUITE.name, peers.len() + 3);
    let mut figures = Vec::new();
    let mut plain = Vec::new();
    for (name, limit, peer) in &peers {
        bar.set_message(peer.name);
        let pairs = pairs(ringback.entry, peer.entry)?;
        if plain.is_empty() {
            plain.push(nanoseconds(ringback.name, pairs.first()));
        }
        plain.push(nanoseconds(peer.name, pairs.second()));
        let meaning = format!("times a call of {}", peer.name);
        figures.push(Figure::new(name, pairs.ratio(), *limit, &meaning));
        bar.inc(1);
    }

    bar.set_message("raw over Mutex<HashMap>");
    let [_, (_, _, raw), _, (_, _, map)] = &peers;
    let meaning = "times a call of Mutex<HashMap>: no call through a Box goes below";
    let floor = pairs(raw.entry, map.entry)?.ratio();
    plain.push(Figure::plain("  raw over Mutex<HashMap>", floor, meaning));
    bar.inc(1);

    bar.set_message("shared library");
    let plugin = Plugin::open()?;
    let pairs = pairs(plugin.ringback, plugin.closure_ffi)?;
    plain.push(nanoseconds("ringback in a cdylib", pairs.first()));
    plain.push(nanoseconds("closure-ffi in a cdylib", pairs.second()));
    let meaning = "times a call of closure-ffi, both in a dlopened cdylib";
    let cdylib = Figure::new("cdylib_over_closure_ffi", pairs.ratio(), AtMost(2.5), meaning);
    figures.insert(1, cdylib);
    bar.inc(1);

    bar.set_message("two threads");
    let both = [ringback.entry, raw.entry];
    let pairs = Pairs::measure(ROUNDS, || Ok(slow_down(both[0])), || Ok(slow_down(both[1])))?;
    let meaning = "slow-down by a second thread on the slot / that of raw";
    figures.push(Figure::new("two_threads_over_raw", pairs.ratio(), AtMost(1.3), meaning));
    let meaning = "times, by a second thread on the same function";
    plain.push(Figure::plain("  ringback slow-down", pairs.first(), meaning));
    plain.push(Figure::plain("  raw slow-down", pairs.second(), meaning));
    bar.finish_and_clear();

    figures.extend(plain);
    Ok(figures)
}

fn nanoseconds(name: &str, spread: Spread) -> Figure {
    Figure::plain(&format!("  {name}"), spread, "ns per call")
}

fn one(entry: Entry) -> f64 {
    nanoseconds_per_call(entry, FACTOR, CALLS)
}

fn pairs(first: Entry, second: Entry) -> Result<Pairs> {
    Pairs::measure(ROUNDS, || Ok(one(first)), || Ok(one(second)))
}

/// How much slower two threads are that call the same function at the same time than the same two
/// threads one after the other.
fn slow_down(entry: Entry) -> f64 {
    let turn = Barrier::new(2);
    let calls = |first: bool| {
        nanoseconds_per_call(entry, FACTOR, 1); // a thread's first call is another matter
        turn.wait();
        let before = first.then(|| one(entry));
        turn.wait();
        let alone = before.unwrap_or_else(|| one(entry));
        turn.wait();
        (alone, one(entry))
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| calls(false));
        let (alone, together) = calls(true);
        let other = other.join().expect("this thread asserts the same");
        (together + other.1) / (alone + other.0)
    })
}

/// The contestants in a shared library.
struct Plugin {
    ringback: Entry,
    closure_ffi: Entry,
}

impl Plugin {
    fn open() -> Result<Plugin> {
        let program = std::env::current_exe()?;
        let name = libloading::library_filename("ringback_bench_plugin");
        let path = program.with_file_name(name);
        // SAFETY: the library of this very package, built with this program; its initialisers are
        // those of Rust's standard library.
        let library = unsafe { Library::new(&path) }
            .map_err(|error| format!("{error}; build with `cargo build --release`"))?;
        // Never closed: it lends functions out for the rest of the process.
        let library = Box::leak(Box::new(library));
        let entry = |name: &str| -> Result<Entry> {
            // SAFETY: `plugin.rs` defines both symbols with this type.
            let lend: Symbol<extern "C" fn(u64) -> Plain> =
                unsafe { library.get(name.as_bytes())? };
            Ok(Entry::Plain(lend(FACTOR)))
        };
        Ok(Plugin {
            ringback: entry("bench_plugin_ringback")?,
            closure_ffi: entry("bench_plugin_closure_ffi")?,
        })
    }
}
