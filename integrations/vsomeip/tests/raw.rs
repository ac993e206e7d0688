// SPDX-License-Identifier: MIT OR Apache-2.0

//! The raw path: bare pointers without a token, as `vsomeip-sys` registers them.

mod common;
#[path = "../examples/raw_pointers.rs"]
mod raw_pointers;

use common::*;

#[test]
fn a_reused_pointer_takes_no_message_of_its_past() {
    isolated("a_reused_pointer_takes_no_message_of_its_past", || {
        let raw_pointers::Outcome { old: [sent, delivered, stale], new, wrong } =
            raw_pointers::run(None);
        assert_eq!(wrong, 0);
        assert_eq!(delivered + stale, sent, "every message to an old owner is accounted for");
        assert!(delivered >= 5_000, "each old owner had one");
        assert!(stale >= 5_000, "and a full queue was on its way: {stale}");
        assert!(new >= 5_000, "each new owner had one");
    });
}
