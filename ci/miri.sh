#!/usr/bin/env bash
# Miri over what it can run: the portable table, fences instead of membarrier(2), a few threads. It
# finds undefined behaviour and, by many schedules, races that no machine happened to show.
source "$(dirname "$0")/lib.sh"
command -v rustup >/dev/null || skip "miri needs rustup"
rustup component add --toolchain nightly miri rust-src >/dev/null 2>&1 || skip "miri is out of reach"
export RUSTFLAGS="--cfg ringback_portable"
# Leaked on purpose: records, and what a thread that never ends holds. Wall time is the machine's.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks"
cargo +nightly miri setup >/dev/null 2>&1 || skip "miri cannot be set up here"
echo "not under miri: what starts processes, loads libraries, or takes hours there"
run() {
  local output
  output=$(mktemp)
  cargo +nightly miri test -q -p ringback --target-dir target/miri "$@" 2>&1 | tee "$output" | grep -E '^test result|^error|panicked' || true
  grep -qE '^test result: ok\. [1-9][0-9]* passed' "$output" && ! grep -qE '^error|FAILED' "$output" ||
    { tail -40 "$output"; rm "$output"; exit 1; }
  rm "$output"
}
run --test listeners -- --skip hammering --skip deeper
run --test quiet
run --test reuse
run --test signatures
run --test tracked
