#!/usr/bin/env bash
# Miri over futures that are kept in memory of our own: no reference outlives its claim, and
# nothing leaks.
source "$(dirname "$0")/lib.sh"
cargo +nightly miri --version >/dev/null 2>&1 ||
  { command -v rustup >/dev/null && rustup component add --toolchain nightly miri rust-src >/dev/null 2>&1; } ||
  skip "needs a nightly toolchain with the component miri"
output=$(mktemp)
cargo +nightly miri test --target-dir "${CARGO_TARGET_DIR:-target}/miri" -p ringback \
  --features hook --test hook -- slots:: stack:: drops:: --skip spawned 2>&1 | tee "$output" | grep -vE '^ *(Compiling|Downloaded|Downloading) '
grep -qE '^test result: ok\. [1-9][0-9]* passed' "$output"
