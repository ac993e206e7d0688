#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The suite on the oldest Rust that is promised (rust-version), with counters at every branch, by the
# compiler's own instrumentation and llvm-cov: which branches of the core the tests and the models take.
# Prints the figure coverage.core_branches_percent, and each way that is never taken with the reason that
# ci/coverage-gaps.txt gives; one without a reason fails the check. Without llvm-tools the suite runs all
# the same, and nothing is counted.
source "$(dirname "$0")/lib.sh"
need_python
toolchain=$(oldest_rust) || skip "the oldest Rust is out of reach"
target=${CARGO_TARGET_DIR:-target}/coverage
mkdir -p "$target"
target=$(cd "$target" && pwd)
# trybuild's expectations, and clippy's, are those of the newest compiler.
mapfile -t tests < <(test_programs ui 'macro_*')
suite() {
  cargo_test "+$toolchain" -p ringback -p ringback-life -p ringback-fuzz --all-features --target-dir "$target" "$@"
}
all=(--lib "${tests[@]}" --test=life --test=seeds)
tools=$(rustc "+$toolchain" --print sysroot)/lib/rustlib/$host/bin
[ -x "$tools/llvm-cov" ] || have_components "+$toolchain" llvm-tools || true
if [ ! -x "$tools/llvm-cov" ]; then
  not_here "the branches that the suite takes: the component llvm-tools of $toolchain is out of reach"
  suite "${all[@]}"
  exit 0
fi
rm -f "$target"/*.profraw
# Counters in shared memory (%c): so that processes count which are forked, aborted or killed.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cinstrument-coverage -Zcoverage-options=branch -Cllvm-args=-runtime-counter-relocation"
# Names of functions for backtraces, which may else find the names of counters in their places.
export CARGO_PROFILE_DEV_DEBUG=limited
export LLVM_PROFILE_FILE="$target/%p-%m%c.profraw"
find_programs() { find "$1/deps" -maxdepth 1 -type f -executable ! -name '*.so' ! -name 'build*'; }
# Those of an earlier state of the sources would be counted too.
for folder in "$target/debug" "$target/loom/release"; do
  [ ! -d "$folder/deps" ] || find_programs "$folder" | xargs -r rm
done
suite "${all[@]}"
# Some ways are taken only where threads meet: those that meet often do so some times more.
for _ in 1 2 3 4; do
  output=$(suite --test=asynchronous --test=listeners --test=quiet --test=stress) || { echo "$output"; exit 1; }
done
# The models take the ways that only a race leads to.
RUSTFLAGS="$RUSTFLAGS --cfg ringback_loom -Awarnings" \
  cargo_test "+$toolchain" -p ringback --lib --release --target-dir "$target/loom" -- model

sources=$(find "$PWD"/crates/ringback/src/inbound "$PWD"/crates/ringback/src/{*.rs,outbound/tracked.rs} -name '*.rs' ! -name 'model.rs' | sort -u)
export_branches() { # FOLDER OUTPUT PROFILE..
  local objects=() program
  while read -r program; do objects+=(--object "$program"); done < <(find_programs "$1")
  # shellcheck disable=SC2086
  "$tools/llvm-cov" export --skip-functions --instr-profile "$target/merged.profdata" "${objects[@]:1}" $sources >"$2"
}
"$tools/llvm-profdata" merge -sparse "$target"/*.profraw -o "$target/merged.profdata"
export_branches "$target/debug" "$target/tests.json"
export_branches "$target/loom/release" "$target/models.json"
python3 ci/coverage.py "$target/tests.json" "$target/models.json"
