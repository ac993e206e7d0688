#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The README's first command as written, and the small examples.
source "$(dirname "$0")/lib.sh"
cargo run --quiet --release --example vehicle_bus
cargo run --quiet --release --example tree -- crates
cargo run --quiet --release --example qsort
cargo run --quiet --release -p ringback --features hook --example hooks
