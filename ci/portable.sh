#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The whole suite on the generated table, which serves every other platform.
source "$(dirname "$0")/lib.sh"
export RUSTFLAGS="--cfg ringback_portable"
cargo_test -p ringback -p ringback-examples --release --target-dir target/portable --tests --examples
