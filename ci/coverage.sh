#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Branches of the core that the tests and the models take, by the compiler's own instrumentation and
# llvm-cov. Prints the figure coverage.core_branches_percent, and each way that is never taken with the
# reason that ci/coverage-gaps.txt gives; one without a reason fails the check.
source "$(dirname "$0")/lib.sh"
need_python
toolchain=nightly
have_components "+$toolchain" llvm-tools ||
  skip "branch coverage needs a $toolchain toolchain with llvm-tools, and rustup could not get it"
tools=$(dirname "$(find "$(rustc "+$toolchain" --print sysroot)" -name llvm-cov -type f | head -1)")
[ -x "$tools/llvm-cov" ] || skip "no llvm-cov in $toolchain"
target=${CARGO_TARGET_DIR:-target}/coverage
mkdir -p "$target"
target=$(cd "$target" && pwd)
rm -f "$target"/*.profraw
# Counters in shared memory (%c): so that processes count which are forked, aborted or killed.
export RUSTFLAGS="-Cinstrument-coverage -Zcoverage-options=branch -Cllvm-args=-runtime-counter-relocation"
export LLVM_PROFILE_FILE="$target/%p-%m%c.profraw"
mapfile -t tests < <(test_programs ui 'macro_*' stress litmus)
find_programs() { find "$1/deps" -maxdepth 1 -type f -executable ! -name '*.so' ! -name 'build*'; }
# Those of an earlier state of the sources would be counted too.
for folder in "$target/debug" "$target/loom/release"; do
  [ ! -d "$folder/deps" ] || find_programs "$folder" | xargs -r rm
done
cargo_test "+$toolchain" -p ringback --all-features --target-dir "$target" --lib "${tests[@]}"
cargo_test "+$toolchain" -p ringback-life -p ringback-fuzz --target-dir "$target"
# The models take the ways that only a race leads to.
RUSTFLAGS="$RUSTFLAGS --cfg ringback_loom -Awarnings" \
  cargo_test "+$toolchain" -p ringback --lib --release --target-dir "$target/loom" -- model

sources=$(find "$PWD"/crates/ringback/src/inbound "$PWD"/crates/ringback/src/*.rs -name '*.rs' ! -name 'model.rs' | sort -u)
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
