#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The barrier protocol on this machine, by the million (in the short form by the hundred
# thousand): plain stores against membarrier(2). On x86-64
# only the one reordering that its memory model allows can show; the run without the barrier shows it.
source "$(dirname "$0")/lib.sh"
[ "$(uname -s)" = Linux ] || skip "membarrier(2) is Linux's"
[ "$(nproc)" -gt 1 ] || skip "two threads that never run at once show nothing"
rounds=1000000
[ "${RINGBACK_SHORT:-}" != 1 ] || rounds=100000
export LITMUS_ROUNDS=${LITMUS_ROUNDS:-$rounds}
# With the features that `unit` has built it with.
cargo_test --release -p ringback --all-features --test litmus -- --nocapture --test-threads=1
