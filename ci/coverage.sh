#!/usr/bin/env bash
# Branches of the core that the tests take, by the compiler's own instrumentation and llvm-cov. Prints
# the figure coverage.core_branches_percent, and the functions with branches that no test takes.
source "$(dirname "$0")/lib.sh"
toolchain=nightly
command -v rustup >/dev/null || skip "branch coverage needs rustup, for a nightly and its llvm-tools"
rustup "+$toolchain" component add llvm-tools >/dev/null 2>&1 ||
  rustup component add --toolchain "$toolchain" llvm-tools >/dev/null 2>&1 ||
  skip "the component llvm-tools of $toolchain is out of reach"
tools=$(dirname "$(find "$(rustc "+$toolchain" --print sysroot)" -name llvm-cov -type f | head -1)")
[ -x "$tools/llvm-cov" ] || skip "no llvm-cov in $toolchain"
target=${CARGO_TARGET_DIR:-target}/coverage
mkdir -p "$target"
target=$(cd "$target" && pwd)
rm -f "$target"/*.profraw
# Counters in shared memory (%c): so that processes count which are forked, aborted or killed.
export RUSTFLAGS="-Cinstrument-coverage -Zcoverage-options=branch -Cllvm-args=-runtime-counter-relocation"
export LLVM_PROFILE_FILE="$target/%p-%m%c.profraw"
tests=()
for file in crates/ringback/tests/*.rs; do
  case $(basename "$file" .rs) in ui | macro_* | stress | litmus) ;; *) tests+=("--test=$(basename "$file" .rs)") ;; esac
done
programs=()
collect() { # the test programs that cargo names
  while read -r program; do programs+=("$program"); done
}
cargo_test "+$toolchain" -p ringback --all-features --target-dir "$target" --test asynchronous --test outbound --test hook "${tests[@]}"
cargo_test "+$toolchain" -p ringback-life -p ringback-fuzz --target-dir "$target"
collect < <(find "$target/debug/deps" -maxdepth 1 -type f -executable ! -name '*.so' ! -name 'build*')
"$tools/llvm-profdata" merge -sparse "$target"/*.profraw -o "$target/merged.profdata"
objects=()
for program in "${programs[@]}"; do objects+=(--object "$program"); done
sources=$(find "$PWD"/crates/ringback/src/inbound "$PWD"/crates/ringback/src/*.rs -name '*.rs' ! -name 'model.rs' | sort -u)
# shellcheck disable=SC2086
"$tools/llvm-cov" export --summary-only --instr-profile "$target/merged.profdata" "${objects[@]:1}" $sources >"$target/summary.json"
python3 - "$target/summary.json" <<'P'
import json, sys
data = json.load(open(sys.argv[1]))["data"][0]
rows = [(f["filename"].split("/src/")[-1], f["summary"]["branches"]) for f in data["files"]]
rows = [(name, b) for name, b in rows if b["count"]]
assert rows, "no branches were measured"
for name, b in sorted(rows, key=lambda row: row[1]["percent"]):
    print(f'{name:40} {b["covered"]:4} of {b["count"]:4} branches  {b["percent"]:5.1f} %')
covered, count = (sum(b[key] for _, b in rows) for key in ("covered", "count"))
print(f"figure coverage.core_branches_percent {100 * covered / count:.1f}")
P
