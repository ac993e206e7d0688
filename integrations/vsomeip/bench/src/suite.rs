// SPDX-License-Identifier: MIT OR Apache-2.0

//! The suite: scenarios, tables for people, then `figure` lines.

use crate::contestant::{Job, LATENCY, Outcome, PACED, RECEIVE, RPC};
use crate::contestants::{ALL, Contestant, peer_cargo};
use crate::runs::{RECORD, Record, Runs, Spread};
use crate::{CAPACITY, POLICY, build_time, curve};
use Contestant::{Native, Ours, Peer};

const FLOOD: u32 = 0;
const NO_LIMIT: u64 = u64::MAX;

pub fn rate(outcome: &Outcome) -> f64 {
    outcome.received as f64 * 1e9 / outcome.nanoseconds.max(1) as f64
}

#[derive(Default)]
struct Figures(Vec<(&'static str, Spread)>);

impl Figures {
    fn add(&mut self, name: &'static str, figure: Spread) {
        self.0.push((name, figure));
    }

    /// # Errors
    /// One is no number.
    fn print(&self) -> Result<(), String> {
        println!(
            "\n{:<38}{:>10}  {:<8}{:<8}min..max of single runs side by side",
            "figure", "value", "limit", ""
        );
        for (name, Spread { value, least, most }) in &self.0 {
            let (limit, verdict) = match LIMITS.iter().find(|limit| limit.0 == *name) {
                Some((_, "<=", limit)) => (format!("<= {limit}"), verdict(value <= limit)),
                Some((_, sign, limit)) => (format!("{sign} {limit}"), verdict(value >= limit)),
                None => (String::new(), ""),
            };
            println!("{name:<38}{value:>10.3}  {limit:<8}{verdict:<8}{least:.3}..{most:.3}");
        }
        println!();
        for (name, figure) in &self.0 {
            println!("figure vsomeip.{name} {:.3}", figure.value);
        }
        let wrong = self.0.iter().find(|(_, figure)| !figure.value.is_finite());
        wrong.map_or(Ok(()), |(name, _)| Err(format!("{name} is no number")))
    }
}

/// What the figures must reach.
const LIMITS: [(&str, &str, f64); 12] = [
    ("received_over_native", ">=", 0.8),
    ("received_over_peer", ">=", 2.5),
    ("cpu_per_message_over_native", "<=", 1.25),
    ("out_of_order", "<=", 0.0),
    ("lost", "<=", 0.0),
    ("receive_allocations_per_message", "<=", 12.0),
    ("rpc_over_native", ">=", 0.7),
    ("rpc_over_peer", ">=", 1.5),
    ("latency_p50_over_native", "<=", 1.5),
    ("latency_p99_over_native", "<=", 2.0),
    ("build_seconds", "<=", 12.0),
    ("failed_runs", "<=", 0.0),
];

/// Not a number is no number that reaches anything.
fn verdict(reached: bool) -> &'static str {
    if reached { "ok" } else { "MISSED" }
}

/// # Errors
/// A contestant has no figure, since it failed too often or does not build.
pub fn run(runs: usize, quick: bool) -> Result<(), String> {
    let part = if quick { 10 } else { 1 };
    println!("vsomeip {}, {}", ringback_vsomeip::vsomeip::VERSION, env!("VSOMEIP_LIBRARIES"));
    println!(
        "publisher and subscriber are two vsomeip applications of one process, one dispatcher each;"
    );
    println!("ours: mailbox of {CAPACITY} messages, {POLICY:?}; {runs} runs, medians, interleaved");
    println!("building the peer's contestant (the first time takes minutes)");
    if !peer_cargo().status().is_ok_and(|status| status.success()) {
        return Err("the peer does not build".to_owned());
    }
    let mut record = Record::new().map_err(|error| format!("{RECORD}: {error}"))?;
    let mut figures = Figures::default();

    let count = 100_000 / part;
    let job = |scenario, count, rate| Job { scenario, size: 64, count, rate, in_flight: NO_LIMIT };
    let results = Runs::of(&mut record, "received", job(FLOOD, count, 0), runs)?;
    let disorder = |o: &Outcome| o.out_of_order as f64;
    let lost = |o: &Outcome| count.saturating_sub(o.received) as f64;
    results.table(&format!("{count} messages of 64 bytes, received per second"), "/s", rate);
    results.table(".. out of order", "messages", disorder);
    results.table(".. lost", "messages", lost);
    figures.add("received_over_native", results.ratio(Ours, Native, rate));
    figures.add("received_over_peer", results.ratio(Ours, Peer, rate));
    figures.add("out_of_order", results.worst(Ours, disorder));
    figures.add("out_of_order_peer", results.worst(Peer, disorder));
    figures.add("lost", results.worst(Ours, lost));

    let results = Runs::of(&mut record, "paced", job(PACED, 40_000 / part, 20_000), runs)?;
    let cpu = |o: &Outcome| o.cpu_nanoseconds as f64 / o.received.max(1) as f64 / 1000.0;
    results.table(
        "20,000 messages/s, 20 every millisecond: processor time per message, both sides",
        "us",
        cpu,
    );
    figures.add("cpu_per_message_over_native", results.ratio(Ours, Native, cpu));

    let receive = job(RECEIVE, 20_000 / part, 20_000);
    let results = Runs::among(&mut record, &[Peer, Ours], "receive", receive, runs.min(3))?;
    let allocations =
        |o: &Outcome| o.allocations as f64 / o.received.saturating_sub(1).max(1) as f64;
    results.table(
        "allocations per received message, by Rust code (a native process publishes)",
        "",
        allocations,
    );
    figures.add("receive_allocations_per_message", results.median(Ours, allocations));
    figures.add("receive_allocations_per_message_peer", results.median(Peer, allocations));

    let results = Runs::of(&mut record, "rpc", job(RPC, 5_000 / part, 0), runs)?;
    results.table("round trips per second, one after the other, 64 bytes", "/s", rate);
    figures.add("rpc_over_native", results.ratio(Ours, Native, rate));
    figures.add("rpc_over_peer", results.ratio(Ours, Peer, rate));
    figures.add("rpc_native_over_peer", results.ratio(Native, Peer, rate));

    let results = Runs::of(&mut record, "latency", job(LATENCY, 10_000 / part, 5_000), runs)?;
    let (p50, p99) = (|o: &Outcome| o.p50 as f64 / 1000.0, |o: &Outcome| o.p99 as f64 / 1000.0);
    results.table("5,000 messages/s evenly: latency, median of a run", "us", p50);
    results.table(".. 99th percentile of a run", "us", p99);
    figures.add("latency_p50_over_native", results.ratio(Ours, Native, p50));
    figures.add("latency_p99_over_native", results.ratio(Ours, Native, p99));

    curve::run(&mut record, runs.min(3), part)?;

    println!("\nbuilding the transport crates alone, release, dependencies there");
    let ours = build_time::ours().ok_or("the transport does not build alone")?;
    let peer = build_time::peer().ok_or("the peer does not build alone")?;
    println!("  {:<26}{peer:>12.1} s", Peer.name());
    println!("  {:<26}{ours:>12.1} s", Ours.name());
    figures.add("build_seconds", Spread::single(ours));
    figures.add("build_seconds_peer", Spread::single(peer));

    figures.add("failed_runs", Spread::single(record.failed[Ours as usize] as f64));
    let failed = ALL.map(|which| format!("{} {}", which.name(), record.failed[which as usize]));
    println!("\neach run is recorded in {RECORD}; failed and taken again: {}", failed.join(", "));
    figures.print()
}
