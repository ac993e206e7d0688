// SPDX-License-Identifier: MIT OR Apache-2.0

//! Promise 8: the inbound suite where `mmap(PROT_EXEC)` is denied.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]
#![cfg(target_os = "linux")]

#[path = "listeners.rs"]
mod listeners;
#[path = "panics.rs"]
mod panics;
#[path = "quiet.rs"]
mod quiet;
#[path = "common/seccomp.rs"]
mod seccomp;
#[path = "signatures.rs"]
mod signatures;

// Before `main`, so that every test of this program runs under the filter.
#[used]
#[unsafe(link_section = ".init_array")]
static INSTALL: extern "C" fn() = {
    extern "C" fn install() {
        seccomp::refuse_executable_memory();
    }
    install
};

#[test]
fn the_filter_is_in_force() {
    seccomp::refuse_executable_memory();
}
