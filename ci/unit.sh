#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Every test, as users build it: debug, then optimised (where the fast path is inlined).
source "$(dirname "$0")/lib.sh"
cargo_test --workspace
cargo_test -p ringback -p ringback-life -p ringback-fuzz --all-features --release --tests
cargo_test -p ringback --all-features --doc
