// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a hook costs, and which signatures it takes.

mod by_hand;
mod calls;
mod cases;
mod expansion;
mod page;
mod sizes;
mod support;

use super::Suite;
use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::{AtLeast, AtMost, None};
use crate::measure::{Pairs, Spread};
use crate::progress;
use support::{Maker, Support};

pub const SUITE: Suite = Suite {
    name: "hook",
    peers: &["command_attr", "async-recursion", "async-trait"],
    portable: false,
    run,
};

/// Many short samples: each is over before another program gets the core.
const ROUNDS: usize = 301;
const CALLS: u64 = 50_000;

/// Nanoseconds per call, of so many.
type Contestant = fn(u64) -> f64;

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 5);
    let mut figures = Vec::new();
    let mut plain = Vec::new();
    let exactly = |value: f64| Spread::of(&[value]);

    bar.set_message("allocations");
    let [boxed, reusing] = calls::allocations(100_000);
    let meaning = "counting allocator, 100,000 calls";
    figures.push(Figure::new("allocations_per_call", exactly(boxed), AtMost(1.0), meaning));
    let meaning = "the reusing form, its first call included";
    figures.push(Figure::new("slot_allocations_per_call", exactly(reusing), AtMost(0.01), meaning));
    bar.inc(1);

    let sizes = sizes::sizes();
    let meaning = "boxed over the plain future's size, [u8; 1024] held over an await";
    figures.push(Figure::new("bytes_over_plain", exactly(sizes.named), AtMost(0.51), meaning));
    let meaning = "the same, of a `mut` argument";
    figures.push(Figure::new("bytes_over_plain_mut", exactly(sizes.changed), AtMost(1.0), meaning));
    let meaning = "the same, of a pattern";
    let pattern = exactly(sizes.pattern);
    figures.push(Figure::new("bytes_over_plain_pattern", pattern, AtMost(1.0), meaning));
    for (argument, bytes) in &sizes.bytes {
        for (maker, bytes) in sizes::MAKERS.iter().zip(bytes) {
            let name = format!("  {argument}: {maker}");
            plain.extend(bytes.map(|bytes| Figure::plain(&name, exactly(bytes), "bytes")));
        }
    }
    bar.inc(1);

    bar.set_message("calls");
    let against = |peer: Contestant| {
        Pairs::measure(ROUNDS, || Ok(calls::hook_nanoseconds(CALLS)), || Ok(peer(CALLS)))
    };
    let by_hand = against(calls::hand_nanoseconds)?;
    let meaning = "times a hand-written Box::pin(async move ..), called through a pointer";
    figures.push(Figure::new("call_over_handwritten", by_hand.ratio(), AtMost(1.05), meaning));
    plain.push(Figure::plain("  a call: hook", by_hand.first(), "ns"));
    plain.push(Figure::plain("  a call: by hand", by_hand.second(), "ns"));
    let rows: [(&str, Contestant); 3] = [
        ("  a call: reusing form", calls::slot_nanoseconds),
        ("  a call: command_attr", calls::serenity_nanoseconds),
        ("  a call: async-recursion", calls::recursion_nanoseconds),
    ];
    for (name, peer) in rows {
        plain.push(Figure::plain(name, against(peer)?.second(), "ns"));
    }
    bar.inc(1);

    bar.set_message("every case with every macro");
    let support = Support::find_out()?;
    let page = page::write(&support, &sizes)?;
    let (storable, starred) = support.storable(Maker::Ringback);
    let meaning = format!("of {starred} cases, in both editions: coerced, called, answered right");
    let limit = AtLeast(starred as f64);
    figures.push(Figure::new("storable_cases", exactly(storable as f64), limit, &meaning));
    for maker in Maker::ALL {
        let (called, all) = support.callable(maker);
        let meaning = format!("of {all} cases, in both editions");
        let name = format!("  called: {}", maker.name());
        plain.push(Figure::plain(&name, exactly(called as f64), &meaning));
    }
    for maker in &Maker::ALL[2..] {
        let (storable, _) = support.storable(*maker);
        let meaning = format!("of {starred} cases with a star, in both editions");
        let name = format!("  stored: {}", maker.name());
        plain.push(Figure::plain(&name, exactly(storable as f64), &meaning));
    }
    bar.inc(1);

    bar.set_message("expansions");
    let [small, large] = expansion::microseconds()?;
    let meaning = "us: one warm expansion inside the compiler, opt-level 0, ten arguments";
    figures.push(Figure::new("expand_us", small, None, meaning));
    let meaning = "us: the same, a body of 10,000 lines";
    figures.push(Figure::new("expand_us_10000_lines", large, None, meaning));
    bar.inc(1);
    bar.finish_and_clear();

    println!("support table: {}", page.display());
    figures.extend(plain);
    Ok(figures)
}
