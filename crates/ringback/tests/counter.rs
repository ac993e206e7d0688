// SPDX-License-Identifier: MIT OR Apache-2.0

//! The whole inbound suite under `Protection::Counter`: nothing recorded per thread.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

#[path = "listeners.rs"]
mod listeners;
#[path = "quiet.rs"]
mod quiet;

use ringback::Protection;

#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static CHOOSE: extern "C" fn() = {
    extern "C" fn choose() {
        assert_eq!(ringback::init(Protection::Counter), Ok(Protection::Counter));
    }
    choose
};

#[test]
fn the_counter_is_in_force() {
    assert_eq!(ringback::init(Protection::Auto), Ok(Protection::Counter));
    assert_eq!(ringback::attach_thread(), Protection::Counter, "there is nothing to attach");
}
