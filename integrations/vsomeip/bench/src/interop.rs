// SPDX-License-Identifier: MIT OR Apache-2.0

//! This transport and the peer, talking to each other: each once on either side. Publishing to the
//! peer needs `offer_any_version`, since its subscriptions find nothing else. (The peer has no
//! Notification.) And the drop-in for its macro, with the types of the real `vsomeip-sys`; not where
//! `RINGBACK_PEER_PROGRAM` names a peer that was built before.

use crate::contestant::{Job, ONLY_CALL, ONLY_PUBLISH, ONLY_SERVE, RECEIVE};
use crate::contestants::{Contestant, pair, peer_cargo, peer_program, raw_pointers};

/// Whether all pairs understand each other.
pub fn run() -> bool {
    let built = peer_program().is_some();
    if !built {
        let status = peer_cargo().status();
        assert!(status.is_ok_and(|status| status.success()), "the peer does not build");
    }
    let job = |scenario| Job { scenario, size: 64, count: 500, rate: 0, in_flight: u64::MAX };
    let pairs =
        [("publishes to", ONLY_PUBLISH, RECEIVE), ("answers requests of", ONLY_SERVE, ONLY_CALL)];
    let sides = [(Contestant::Ours, Contestant::Peer), (Contestant::Peer, Contestant::Ours)];
    let mut all = true;
    for (what, one, other) in pairs {
        for (active, passive) in sides {
            let outcome = pair((active, job(one)), (passive, job(other)));
            let received = outcome.map_or(0, |outcome| outcome.received);
            println!("{} {what} {}: {received} of 500", active.name(), passive.name());
            all &= received == 500;
        }
    }
    if built {
        println!("vsomeip-sys: not built, not run");
        return all;
    }
    let raw = raw_pointers();
    println!("{}", if raw { "vsomeip-sys: passed" } else { "vsomeip-sys: FAILED" });
    all && raw
}
