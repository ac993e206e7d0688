#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# All tests. Needs Rust and a C++ compiler; installs Debian packages for what else it uses.
#
#   ci/test.sh            everything but what is named at the end; in its short form what gets better the
#                         longer it runs. Deletes, after each check, what no later one uses: a third of the disk
#   ci/test.sh NAME..     only these checks, in their long form
#   RINGBACK_KEEP=1       everything, and deletes nothing
source "$(dirname "$0")/lib.sh"

# In the order of what one wants to know first.
checks=(lint unit litmus guide portable examples libraries cxx dotnet dependencies features api package bare aarch64
  targets msrv coverage thunks loom asan tsan fuzz valgrind miri vsomeip macrobox)
# By name only: the peer of the vsomeip transport.
by_name=(vsomeip-interop)
tidies=
if [ $# -gt 0 ]; then
  checks=("$@")
else
  export RINGBACK_SHORT=1
  [ "${RINGBACK_KEEP:-}" = 1 ] || tidies=1
fi

# What a check has built in folders of its own. Two checks share what is instrumented.
tidy() {
  mkdir -p target
  find target -mindepth 1 -maxdepth 1 -type d ! -name debug ! -name release ! -name '*-sanitizer' -exec rm -rf {} +
  rm -rf bench/target ./*/*/target
}

export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
RINGBACK_NOT_HERE=$(mktemp)
export RINGBACK_NOT_HERE
outputs=$(mktemp -d)
passed=0 failures=() skips=()
for check in "${checks[@]}"; do
  [ -x "ci/$check.sh" ] || { echo "no such check: $check; there are: ${checks[*]}"; exit 2; }
  echo "=== $check"
  start=$SECONDS
  code=0
  "ci/$check.sh" 2>&1 | tee "$outputs/$check" || code=$?
  case $code in
    0) passed=$((passed + 1)); word=ok ;;
    "$SKIPPED") skips+=("$check"); word=SKIPPED ;;
    *) failures+=("$check"); word=FAILED ;;
  esac
  [ -z "$tidies" ] || tidy
  echo "--- $check: $word after $((SECONDS - start)) s; $(df -h --output=avail . | tail -1 | tr -d ' ') of disk free"
done
[ ${#skips[@]} -eq 0 ] || echo "not run here: ${skips[*]}"
sed 's/^/not run here, a part of /' "$RINGBACK_NOT_HERE"
rm "$RINGBACK_NOT_HERE"
[ $# -gt 0 ] || echo "longer by name: aarch64 fuzz litmus targets; by name only: ${by_name[*]}"
# Again at the end, where one looks: what a check that failed said last.
for check in "${failures[@]}"; do
  echo "=== $check failed, and this is the end of what it printed:"
  tail -80 "$outputs/$check"
done
rm -r "$outputs"
echo "$passed passed, ${#failures[@]} failed${failures:+ (${failures[*]})}, ${#skips[@]} skipped"
[ ${#failures[@]} -eq 0 ]
