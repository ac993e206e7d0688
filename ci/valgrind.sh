#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# No leak, no invalid access in the main job: Rust and C++ together.
source "$(dirname "$0")/lib.sh"
[ "$(uname -s)" = Linux ] || skip "valgrind is set up for Linux"
need_debian valgrind
cargo build --quiet --release --example vehicle_bus
for kind in async sync; do
  valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible \
    --error-exitcode=9 target/release/examples/vehicle_bus --kind "$kind" --listeners 500 --messages 20000
done
