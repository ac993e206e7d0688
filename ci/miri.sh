#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Miri over what it can run. First futures that are kept in memory of our own: no reference outlives
# its claim, and nothing leaks. Then the pool, on the portable table and with fences instead of
# membarrier(2): races that no machine happened to show. Not here: what starts processes, loads
# libraries, or takes hours there. Leaks of the pool are left to the address sanitizer: its records are
# leaked on purpose.
source "$(dirname "$0")/lib.sh"
cargo +nightly miri --version >/dev/null 2>&1 ||
  have_components +nightly miri rust-src ||
  skip "needs a nightly toolchain with the component miri"
miri() {
  local output code=0
  output=$(mktemp)
  cargo +nightly miri test --target-dir "${CARGO_TARGET_DIR:-target}/miri" -p ringback "$@" 2>&1 |
    tee "$output" | grep -vE '^ *(Compiling|Downloaded|Downloading) ' || code=${PIPESTATUS[0]}
  grep -qE '^test result: ok\. [1-9][0-9]* passed' "$output" || code=1
  rm "$output"
  return "$code"
}
miri --features hook --test hook -- slots:: stack:: drops:: --skip spawned
export MIRIFLAGS="-Zmiri-ignore-leaks -Zmiri-disable-isolation" RUSTFLAGS="--cfg ringback_portable"
miri --test listeners -- --skip hammering --skip many_waiting --skip under_a_race
miri --test reuse
miri --test signatures
miri --test tracked
