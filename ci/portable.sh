#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The core's tests and the examples on the generated table, which serves every other platform. But for what
# knows no table: the compiler's messages (ui, macro_consumer), since which table serves a pool is decided
# behind the macro, `hook` and `tracing`.
source "$(dirname "$0")/lib.sh"
export RUSTFLAGS="--cfg ringback_portable" CARGO_PROFILE_RELEASE_DEBUG=false
mapfile -t tests < <(test_programs ui macro_consumer 'hook*' tracing)
cargo_test -p ringback -p ringback-examples --release --target-dir target/portable \
  --lib "${tests[@]}" --test=examples --examples
