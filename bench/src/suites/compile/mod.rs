// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a pool costs to compile: throw-away crates that depend on ringback, built by `cargo build
//! --release` with every dependency built before.

mod crates;
mod sections;

use super::Suite;
use crate::figure::Figure;
use crate::figure::Limit::{AtLeast, AtMost};
use crate::measure::{Pairs, Spread};
use crate::{Result, portable, progress};
use crates::{Crate, Kind, Workshop};
use sections::Sections;

pub const SUITE: Suite = Suite { name: "compile", peers: &[], portable: true, run };

const ROUNDS: usize = 9;
/// Rounds for what does not vary much and takes long.
const FEW: usize = 3;
/// The portable table, ten times slower to build, gets fewer rounds everywhere.
const PAIRS: usize = if portable::BUILT { FEW } else { ROUNDS };
const HUGE: usize = if portable::BUILT { 1 } else { FEW };

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 5);
    let workshop = Workshop::open()?;
    let mut figures = Vec::new();
    let mut plain = Vec::new();

    bar.set_message("11,000 slots and 10");
    let [small, middle, large] = [10, 1_000, 11_000].map(|slots| workshop.write(Kind::Pool, slots));
    let (small, middle, large) = (small?, middle?, large?);
    workshop.build(&small)?; // and the dependencies
    let mut memory = [Vec::new(), Vec::new()];
    let [of_large, of_small] = &mut memory;
    let pairs = Pairs::measure(
        PAIRS,
        || timed(&workshop, &large, of_large),
        || timed(&workshop, &small, of_small),
    )?;
    let meaning = "s: a build with 11,000 slots minus one with 10";
    figures.push(Figure::new("added_seconds_11000", pairs.difference(), AtMost(0.5), meaning));
    plain.push(Figure::plain("  11,000 slots", pairs.first(), "s"));
    plain.push(Figure::plain("  10 slots", pairs.second(), "s"));
    let added: Vec<f64> =
        of_large.iter().zip(&*of_small).map(|(large, small)| large - small).collect();
    let meaning = "MiB at the peak of the largest process, usually rustc: 11,000 slots minus 10";
    figures.push(Figure::new("added_mib_11000", Spread::of(&added), AtMost(64.0), meaning));
    plain.push(Figure::plain("  11,000 slots", Spread::of(of_large), "MiB"));
    plain.push(Figure::plain("  10 slots", Spread::of(of_small), "MiB"));
    bar.inc(1);

    bar.set_message("100,000 slots");
    let huge = workshop.write(Kind::Pool, 100_000)?;
    let seconds = samples(HUGE, || Ok(workshop.build(&huge)?.seconds))?;
    let meaning = "s: the whole build of a crate with 100,000 slots";
    figures.push(Figure::new("seconds_100000", seconds, AtMost(4.0), meaning));
    bar.inc(1);

    bar.set_message("5,000 slots, generated and ours");
    let ours = workshop.write(Kind::Pool, 5_000)?;
    let theirs = workshop.write(Kind::Generated, 5_000)?;
    let pairs = Pairs::measure(
        PAIRS,
        || Ok(workshop.build(&theirs)?.seconds),
        || Ok(workshop.build(&ours)?.seconds),
    )?;
    let meaning = "times: 5,000 generated functions and a match / our 5,000 slots";
    let faster =
        Figure::new("times_faster_than_generated_5000", pairs.ratio(), AtLeast(10.0), meaning);
    figures.push(faster);
    plain.push(Figure::plain("  5,000 generated", pairs.first(), "s"));
    plain.push(Figure::plain("  5,000 slots", pairs.second(), "s"));
    bar.inc(1);

    bar.set_message("sizes");
    workshop.build(&middle)?;
    workshop.build(&large)?;
    let (few, many) = (Sections::of(&middle.program)?, Sections::of(&large.program)?);
    let slots = (large.slots - middle.slots) as f64;
    let code = exactly((many.code - few.code) as f64 / slots);
    let meaning = "bytes of executable sections, from 1,000 to 11,000 slots";
    figures.push(Figure::new("code_bytes_per_slot", code, AtMost(16.0), meaning));
    let data = exactly((many.data - few.data) as f64 / slots);
    let meaning = "bytes of all other loaded sections, .bss among them";
    figures.push(Figure::new("memory_bytes_per_slot", data, AtMost(128.0), meaning));
    let file = exactly((many.file - few.file) as f64 / slots);
    plain.push(Figure::plain("  file bytes per slot", file, "what the program's file grows by"));
    bar.inc(1);

    if !portable::BUILT {
        bar.set_message("the core crate from nothing");
        let seconds = samples(FEW, || workshop.build_dependency_from_nothing(&small))?;
        let meaning = "s: ringback and its default dependencies in an empty target folder";
        let cold = Figure::new("cold_dependency_seconds", seconds, AtMost(8.0), meaning);
        figures.insert(4, cold);
    }
    bar.inc(1);
    bar.finish_and_clear();

    figures.extend(plain);
    Ok(figures)
}

/// Seconds of a build; its memory goes to `memory`.
fn timed(workshop: &Workshop, one: &Crate, memory: &mut Vec<f64>) -> Result<f64> {
    let built = workshop.build(one)?;
    memory.push(built.mib);
    Ok(built.seconds)
}

fn samples(count: usize, mut take: impl FnMut() -> Result<f64>) -> Result<Spread> {
    let samples: Vec<f64> = (0..count).map(|_| take()).collect::<Result<_>>()?;
    Ok(Spread::of(&samples))
}

/// What does not vary.
fn exactly(value: f64) -> Spread {
    Spread { median: value, low: value, high: value }
}
