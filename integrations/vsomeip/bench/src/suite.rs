// SPDX-License-Identifier: MIT OR Apache-2.0

//! The suite: scenarios, tables for people, then `figure` lines.

use crate::contestant::{Job, LATENCY, Outcome, PACED, RECEIVE, RPC};
use crate::contestants::{ALL, Contestant, peer_cargo};
use crate::{CAPACITY, POLICY, build_time, curve};

const FLOOD: u32 = 0;
const NO_LIMIT: u64 = u64::MAX;

/// The outcomes of all runs, by contestant in the order of [`ALL`].
pub struct Runs(Vec<Vec<Outcome>>);

impl Runs {
    pub fn of(job: Job, runs: usize) -> Runs {
        Runs::among(&ALL, job, runs)
    }

    fn among(contestants: &[Contestant], job: Job, runs: usize) -> Runs {
        let mut outcomes = vec![Vec::new(); ALL.len()];
        for run in 0..runs {
            for offset in 0..contestants.len() {
                // Interleaved, and nobody always first.
                let which = contestants[(run + offset) % contestants.len()];
                match which.run(job) {
                    Some(outcome) => outcomes[which as usize].push(outcome),
                    None => println!("  {} failed in run {run}", which.name()),
                }
            }
        }
        Runs(outcomes)
    }

    fn values(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        let mut values: Vec<_> = self.0[of as usize].iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    pub fn median(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> f64 {
        let values = self.values(of, value);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn table(&self, title: &str, unit: &str, value: impl Fn(&Outcome) -> f64) {
        println!("\n{title}");
        for contestant in ALL {
            let values = self.values(contestant, &value);
            let (Some(least), Some(most)) = (values.first(), values.last()) else { continue };
            let median = values[values.len() / 2];
            let name = contestant.name();
            println!(
                "  {name:<26}{median:>12.1} {unit}   ({least:.1} to {most:.1}, {} runs)",
                values.len()
            );
        }
    }

    fn worst(&self, of: Contestant, value: impl Fn(&Outcome) -> u64) -> u64 {
        self.0[of as usize].iter().map(value).max().unwrap_or(u64::MAX)
    }
}

pub fn rate(outcome: &Outcome) -> f64 {
    outcome.received as f64 * 1e9 / outcome.nanoseconds.max(1) as f64
}

pub fn run(runs: usize, quick: bool) {
    let part = if quick { 10 } else { 1 };
    println!("vsomeip {}, {}", ringback_vsomeip::vsomeip::VERSION, env!("VSOMEIP_LIBRARIES"));
    println!(
        "publisher and subscriber are two vsomeip applications of one process, one dispatcher each;"
    );
    println!("ours: mailbox of {CAPACITY} messages, {POLICY:?}; {runs} runs, medians, interleaved");
    println!("building the peer's contestant (the first time takes minutes)");
    assert!(peer_cargo().status().is_ok_and(|status| status.success()), "the peer does not build");
    let mut figures = Vec::new();
    let mut figure =
        |name: &str, value: f64| figures.push(format!("figure vsomeip.{name} {value:.3}"));
    use Contestant::{Native, Ours, Peer};

    let count = 100_000 / part;
    let flood = Job { scenario: FLOOD, size: 64, count, rate: 0, in_flight: NO_LIMIT };
    let results = Runs::of(flood, runs);
    results.table(&format!("{count} messages of 64 bytes, received per second"), "/s", rate);
    results.table(".. out of order", "messages", |o| o.out_of_order as f64);
    results.table(".. lost", "messages", |o| (count - o.received) as f64);
    figure("received_over_native", results.median(Ours, rate) / results.median(Native, rate));
    figure("received_over_peer", results.median(Ours, rate) / results.median(Peer, rate));
    figure("out_of_order", results.worst(Ours, |o| o.out_of_order) as f64);
    figure("out_of_order_peer", results.worst(Peer, |o| o.out_of_order) as f64);
    figure("lost", results.worst(Ours, |o| count - o.received) as f64);

    let paced =
        Job { scenario: PACED, size: 64, count: 40_000 / part, rate: 20_000, in_flight: NO_LIMIT };
    let results = Runs::of(paced, runs);
    let cpu = |o: &Outcome| o.cpu_nanoseconds as f64 / o.received.max(1) as f64 / 1000.0;
    results.table(
        "20,000 messages/s, 20 every millisecond: processor time per message, both sides",
        "us",
        cpu,
    );
    figure("cpu_per_message_over_native", results.median(Ours, cpu) / results.median(Native, cpu));

    let receive = Job {
        scenario: RECEIVE,
        size: 64,
        count: 20_000 / part,
        rate: 20_000,
        in_flight: NO_LIMIT,
    };
    let results = Runs::among(&[Peer, Ours], receive, runs.min(3));
    let allocations =
        |o: &Outcome| o.allocations as f64 / o.received.saturating_sub(1).max(1) as f64;
    println!("\nallocations per received message, by Rust code (a native process publishes)");
    for contestant in [Peer, Ours] {
        println!("  {:<26}{:>12.1}", contestant.name(), results.median(contestant, allocations));
    }
    figure("receive_allocations_per_message", results.median(Ours, allocations));
    figure("receive_allocations_per_message_peer", results.median(Peer, allocations));

    let rpc = Job { scenario: RPC, size: 64, count: 5_000 / part, rate: 0, in_flight: NO_LIMIT };
    let results = Runs::of(rpc, runs);
    results.table("round trips per second, one after the other, 64 bytes", "/s", rate);
    figure("rpc_over_native", results.median(Ours, rate) / results.median(Native, rate));
    figure("rpc_over_peer", results.median(Ours, rate) / results.median(Peer, rate));

    let latency =
        Job { scenario: LATENCY, size: 64, count: 10_000 / part, rate: 5_000, in_flight: NO_LIMIT };
    let results = Runs::of(latency, runs);
    let (p50, p99) = (|o: &Outcome| o.p50 as f64 / 1000.0, |o: &Outcome| o.p99 as f64 / 1000.0);
    results.table("5,000 messages/s evenly: latency, median of a run", "us", p50);
    results.table(".. 99th percentile of a run", "us", p99);
    figure("latency_p50_over_native", results.median(Ours, p50) / results.median(Native, p50));
    figure("latency_p99_over_native", results.median(Ours, p99) / results.median(Native, p99));

    curve::run(runs.min(3), part);

    println!("\nbuilding the transport crates alone, release, dependencies there");
    let (ours, peer) =
        (build_time::ours().unwrap_or(f64::NAN), build_time::peer().unwrap_or(f64::NAN));
    println!("  {:<26}{peer:>12.1} s", Peer.name());
    println!("  {:<26}{ours:>12.1} s", Ours.name());
    figure("build_seconds", ours);
    figure("build_seconds_peer", peer);

    println!();
    figures.iter().for_each(|line| println!("{line}"));
}
