// SPDX-License-Identifier: MIT OR Apache-2.0

//! The contestant `up-transport-vsomeip` 0.6.

#[path = "../../src/contestant.rs"]
#[allow(dead_code)]
mod contestant;

use contestant::{Counting, Job, run};
use up_rust::UUri;
use up_transport_vsomeip::{UPTransportVsomeip, VsomeipApplicationConfig};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = run(Job::from_args(&args), |name, entity| {
        let application = VsomeipApplicationConfig::new(name, entity as u16);
        let local = UUri::try_from_parts("bench", entity, 1, 0).unwrap();
        UPTransportVsomeip::new(application, local, &"bench".to_string(), None).unwrap()
    });
    outcome.print();
    // Its destructors are not what is measured.
    std::process::exit(0);
}
