// SPDX-License-Identifier: MIT OR Apache-2.0

//! membarrier(2) refused before the first registration: real fences take its place.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]
#![cfg(target_os = "linux")]

#[path = "common/seccomp.rs"]
mod seccomp;

#[path = "listeners.rs"]
mod listeners;
#[path = "quiet.rs"]
mod quiet;

use ringback::{InitError, Protection};

// Before `main`, so that every test of this program runs under the filter.
#[used]
#[unsafe(link_section = ".init_array")]
static INSTALL: extern "C" fn() = {
    extern "C" fn install() {
        seccomp::refuse_membarrier();
        // Refused, and nothing is fixed by that: the tests fix it.
        let refused = ringback::init(Protection::Membarrier).unwrap_err();
        assert_eq!(refused, InitError::MembarrierRefused);
        assert_eq!(ringback::protection(), None);
    }
    install
};

#[test]
fn the_fence_is_in_force_and_reported() {
    assert_eq!(ringback::init(Protection::Auto), Ok(Protection::Fence));
    assert_eq!(ringback::init(Protection::Fence), Ok(Protection::Fence));
    assert_eq!(ringback::protection(), Some(Protection::Fence));
    let error = ringback::init(Protection::Counter).unwrap_err();
    assert_eq!(error, InitError::AlreadyFixed(Protection::Fence));
    assert!(error.to_string().contains("before the first registration"));
}
