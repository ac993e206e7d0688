// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an async hand-over costs: a foreign thread calls, a listener on tokio handles.

mod handover;
mod latency;
mod memory;
mod order;

use super::Suite;
use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::{AtLeast, AtMost, None};
use crate::measure::{Pairs, Spread};
use crate::progress;
use handover::{Shape, nanoseconds_per_message};

pub const SUITE: Suite =
    Suite { name: "async", peers: &["tokio", "ringback"], portable: false, run };

const ROUNDS: usize = 9;

/// What travels: 64 bytes, the first eight of which are a number.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Message {
    pub number: u64,
    pub rest: [u64; 7],
}

impl Message {
    pub fn numbered(number: u64) -> Self {
        Message { number, rest: [number; 7] }
    }
}

ringback::callback_pool! {
    /// Serves every contestant of the suite.
    pub static ON_MESSAGE: Pool<unsafe extern "C" fn(message: &Message) -> i32, 256>;
    fallback = -1; reuse = oldest_first;
}

fn run() -> Result<Vec<Figure>> {
    let bar = progress::bar(SUITE.name, 8);
    let mut figures = Vec::new();
    let compare = |peer: Shape, messages: u64| {
        Pairs::measure(
            ROUNDS,
            || Ok(nanoseconds_per_message(Shape::Ringback, messages)),
            || Ok(nanoseconds_per_message(peer, messages)),
        )
    };

    bar.set_message("tokio unbounded");
    let unbounded = compare(Shape::TokioUnbounded, 1_000_000)?;
    let meaning = "times a bare tokio unbounded channel; ours: bounded(1024), Block";
    figures.push(Figure::new("over_tokio_unbounded", unbounded.ratio(), AtMost(0.9), meaning));
    bar.inc(1);

    let inverse = |pairs: &Pairs| {
        let Spread { median, low, high } = pairs.ratio();
        Spread { median: 1.0 / median, low: 1.0 / high, high: 1.0 / low }
    };
    bar.set_message("one spawn per message");
    let spawn = compare(Shape::SpawnEach, 200_000)?;
    let meaning = "one spawned task per message / ours";
    figures.push(Figure::new("times_faster_than_spawn", inverse(&spawn), AtLeast(8.0), meaning));
    bar.inc(1);

    bar.set_message("block_on per message");
    let block_on = compare(Shape::BlockOnEach, 100_000)?;
    let meaning = "LocalSet + block_on + channel + spawn on ten workers per message / ours";
    figures.push(Figure::new(
        "times_faster_than_block_on",
        inverse(&block_on),
        AtLeast(25.0),
        meaning,
    ));
    bar.inc(1);

    let rows = [
        ("ringback", unbounded.first()),
        ("tokio unbounded", unbounded.second()),
        ("spawn per message", spawn.second()),
        ("block_on per message", block_on.second()),
    ];

    bar.set_message("the foreign thread's time");
    for (name, shape) in
        [("producer_p99_ns", Shape::Ringback), ("producer_p99_ns_tokio", Shape::TokioUnbounded)]
    {
        let samples: Vec<f64> =
            (0..ROUNDS).map(|_| handover::producer_p99(shape, 200_000)).collect();
        figures.push(Figure::new(
            name,
            Spread::of(&samples),
            None,
            "ns of the foreign thread, 99th percentile, clock included",
        ));
    }
    bar.inc(1);

    bar.set_message("allocations");
    for (name, trait_object) in
        [("allocations_per_message", false), ("allocations_per_message_dyn", true)]
    {
        let each = memory::allocations_per_message(trait_object, 500_000);
        figures.push(Figure::new(
            name,
            Spread::of(&[each]),
            AtMost(0.001),
            "steady state, counting allocator",
        ));
    }
    bar.inc(1);
    let idle = memory::idle_mailbox_bytes() as f64;
    let meaning = "bytes allocated by registering, bounded(1024) of 64-byte messages";
    figures.push(Figure::new("idle_mailbox_bytes", Spread::of(&[idle]), AtMost(1024.0), meaning));
    bar.inc(1);

    bar.set_message("order and balance");
    let checked = order::check(10_000_000, 4, 100)?;
    let meaning = "of 10,000,000 messages, 4 producers, 100 listeners";
    figures.push(Figure::new(
        "out_of_order",
        Spread::of(&[checked.out_of_order as f64]),
        AtMost(0.0),
        meaning,
    ));
    let meaning = "messages that the balance does not explain, over all policies";
    let unaccounted = (checked.unaccounted + order::unaccounted_over_policies()?) as f64;
    figures.push(Figure::new("unaccounted", Spread::of(&[unaccounted]), AtMost(0.0), meaning));
    bar.inc(1);

    bar.set_message("latency");
    let plot = latency::plot()?;
    bar.finish_and_clear();
    println!("latency plot: {}", plot.path.display());
    for (name, nanoseconds) in rows {
        figures.push(Figure::plain(
            &format!("  {name}"),
            nanoseconds,
            "ns per message, end to end",
        ));
    }
    figures.extend(plot.rows);
    Ok(figures)
}
