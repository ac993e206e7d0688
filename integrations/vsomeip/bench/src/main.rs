// SPDX-License-Identifier: MIT OR Apache-2.0

//! Native C++, the crate `up-transport-vsomeip` 0.6 and this transport on one libvsomeip3.so: each a
//! process of its own, interleaved, the median of the runs. See README.md.

mod build_time;
mod contestant;
mod contestants;
mod curve;
mod interop;
mod native;
mod runs;
mod suite;

use contestant::{Counting, Job, ONLY_PUBLISH, run};
use ringback_vsomeip::{Options, Overflow, UPTransportVsomeip, VsomeipApplicationConfig};
use std::time::Duration;
use up_rust::UUri;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What this transport's listeners get here: printed with the results.
pub const CAPACITY: usize = 4096;
pub const POLICY: Overflow = Overflow::Block(Duration::from_millis(50));

const USAGE: &str = "usage: ringback-vsomeip-bench vsomeip [--runs N] [--quick] | interop";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("vsomeip") => {
            let quick = args.iter().any(|arg| arg == "--quick");
            let runs = match args.iter().position(|arg| arg == "--runs") {
                None => Some(if quick { 1 } else { 9 }),
                Some(at) => args.get(at + 1).and_then(|runs| runs.parse().ok()),
            };
            let Some(runs) = runs.filter(|runs| *runs > 0) else { usage() };
            if contestants::peer_program().is_some() || cfg!(debug_assertions) {
                eprintln!(
                    "figures are of programs built here: with --release, no RINGBACK_PEER_PROGRAM"
                );
                std::process::exit(2);
            }
            if let Err(error) = suite::run(runs, quick) {
                eprintln!("vsomeip: {error}");
                std::process::exit(1);
            }
        }
        Some("interop") => std::process::exit(i32::from(!interop::run())),
        Some("contestant-native") => native::run(Job::from_args(&args[1..])).print(),
        Some("contestant-ours") => {
            let job = Job::from_args(&args[1..]);
            let for_the_peer = job.scenario == ONLY_PUBLISH;
            run(job, |name, entity| ours(name, entity, for_the_peer)).print();
            // Its destructors are not what is measured.
            std::process::exit(0);
        }
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2);
}

fn ours(name: &str, entity: u32, for_the_peer: bool) -> UPTransportVsomeip {
    let application = VsomeipApplicationConfig::new(name, entity as u16);
    let local = UUri::try_from_parts("bench", entity, 1, 0).unwrap();
    let options = Options::default().mailbox(CAPACITY, POLICY).offer_any_version(for_the_peer);
    UPTransportVsomeip::with_options(application, local, "bench", options).unwrap()
}
