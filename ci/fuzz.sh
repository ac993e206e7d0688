#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# libFuzzer looks for sequences of operations that reach new branches of ringback; the model judges each
# (crates/ringback-fuzz), and the address sanitizer what it does to memory. It begins with what it once
# found (crates/ringback-fuzz/corpus.hex) and goes on for a minute (in the short form for 20 seconds), or
# for FUZZ_SECONDS.
# What fails lies in fuzz-artifacts, to be run again with `cargo run -p ringback-fuzz -- FILE`.
source "$(dirname "$0")/lib.sh"
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the fuzzer is set up for Linux x86-64"
seconds=60
[ "${RINGBACK_SHORT:-}" != 1 ] || seconds=20
seconds=${FUZZ_SECONDS:-$seconds}
artifacts=${CARGO_TARGET_DIR:-target}/fuzz-artifacts
corpus=${CARGO_TARGET_DIR:-target}/fuzz-corpus
mkdir -p "$artifacts" "$corpus"
CORPUS=$corpus perl -ne 'chomp; open my $file, ">", "$ENV{CORPUS}/known-$." or die; print $file pack "H*", $_' \
  crates/ringback-fuzz/corpus.hex
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Ccodegen-units=1 ${coverage//$'\n'/}"
export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true
arguments=(--quiet --release -p ringback-fuzz --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/fuzz")
# The library that is loaded takes what it needs for that from the program.
cargo rustc "${arguments[@]}" --bin ringback-fuzz -- -Clink-arg=-rdynamic
program=${CARGO_TARGET_DIR:-target}/fuzz/$host/release/ringback-fuzz
output=$(mktemp)
code=0
"$program" "$corpus" -max_total_time="$seconds" -max_len=1024 -timeout=60 -rss_limit_mb=4096 \
  -artifact_prefix="$artifacts/" >"$output" 2>&1 || code=$?
if [ "$code" != 0 ]; then
  grep -A15 -E 'panicked at|ERROR' "$output" || tail -20 "$output"
  echo "libFuzzer found something: $artifacts"
  exit 1
fi
grep -E '^#[0-9]+.*DONE' "$output" || { echo "it did not run to its end"; tail "$output"; exit 1; }
rm "$output"
