# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Shared by the scripts of this folder. Each of them runs alone, at home as in CI.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
host=$(rustc -vV | sed -n 's/^host: //p')

# A script that cannot run here says why and ends with this; the run goes on and names the skip.
SKIPPED=77
skip() { echo "skipped: $*"; exit "$SKIPPED"; }

# must_run VARIABLE : from here on, what the script lacks fails it; only VARIABLE=1 skips it.
skipped_by=
must_run() {
  [ "${!1:-}" != 1 ] || skip "$1 is set"
  skipped_by=$1
}

# not_here WHAT.. : a part of a check that cannot run here; ci/test.sh names it once more at its end.
not_here() {
  echo "not run here: $*"
  [ -z "${RINGBACK_NOT_HERE:-}" ] || echo "$(basename "$0" .sh): $*" >>"$RINGBACK_NOT_HERE"
}

# lacks WHAT.. : ends a script that cannot have what it needs: a skip, but after must_run a failure.
lacks() {
  [ -n "$skipped_by" ] || skip "$*"
  echo "failed: $*; or skip this check with $skipped_by=1"
  exit 1
}

# need_debian PACKAGE.. : installs what is missing, and says so.
need_debian() {
  local missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || lacks "needs ${missing[*]}, and this is not Debian: install them by hand"
  [ "$(id -u)" = 0 ] || lacks "needs ${missing[*]}: run 'apt-get install ${missing[*]}' as root"
  echo "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_python() { command -v python3 >/dev/null || need_debian python3; }

# The crates that are published, each with its folder: the members that do not say `publish = false`.
published() {
  cargo metadata --no-deps --format-version 1 | python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] is None:
        print(package["name"], os.path.relpath(os.path.dirname(package["manifest_path"])))'
}

# cargo_test ARG.. : cargo test, failing where not one test ran.
cargo_test() {
  local output code=0
  output=$(mktemp)
  local toolchain=()
  [[ ${1:-} != +* ]] || { toolchain=("$1"); shift; }
  cargo "${toolchain[@]}" test "$@" 2>&1 | tee "$output" | grep -vE '^ *(Compiling|Downloaded|Downloading|Running|Locking|Adding) |^running 0|^$' ||
    code=${PIPESTATUS[0]}
  if [ "$code" != 0 ]; then
    echo "cargo test $* ended with code $code"
  elif ! grep -qE '^test result: ok\. [1-9][0-9]* passed' "$output"; then
    echo "no test ran: cargo test $*"
    code=1
  fi
  rm "$output"
  return "$code"
}

# test_programs PATTERN.. : --test=NAME for each test program of the core crate that matches none of these.
test_programs() {
  local name pattern
  for name in crates/ringback/tests/*.rs crates/ringback/tests/*/main.rs; do
    name=${name#crates/ringback/tests/} name=${name%.rs} name=${name%/main}
    for pattern in "$@"; do
      # shellcheck disable=SC2053
      [[ $name != $pattern ]] || continue 2
    done
    echo "--test=$name"
  done
}

# rustfmt and clippy, which a minimal toolchain does not have.
need_lints() {
  { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 || have_components rustfmt clippy ||
    lacks "needs cargo's fmt and clippy"
}

# clippy ARG.. : cargo clippy, whose warnings fail the check with the compiler that the project is kept clean
# with. A newer one may know more; what it says is shown.
lints_of=1.95
clippy() {
  local deny=(-D warnings)
  [[ $(rustc -V) == "rustc $lints_of."* ]] || { deny=(); not_here "clippy as a judge: its lints are those of Rust $lints_of"; }
  cargo clippy --quiet "$@" -- "${deny[@]}"
}

# The sources of std, so that a sanitizer sees into it; without them it is told what to overlook.
have_rust_src() {
  [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] && return
  have_components rust-src
}

# have_components [+TOOLCHAIN] COMPONENT.. : parts of a toolchain, and the toolchain itself, fetched if rustup can.
have_components() {
  local toolchain=
  [[ $1 != +* ]] || { toolchain=${1#+}; shift; }
  command -v rustup >/dev/null || return
  toolchain=${toolchain:-$(rustup show active-toolchain | cut -d' ' -f1)}
  if ! rustup run "$toolchain" rustc -V >/dev/null 2>&1; then
    echo "fetching the toolchain $toolchain"
    rustup toolchain install --profile minimal "$toolchain" >/dev/null 2>&1 || return
  fi
  local installed
  installed=$(rustup component list --installed --toolchain "$toolchain") || return
  for component in "$@"; do
    grep -q "^$component" <<<"$installed" && continue
    echo "fetching $component of $toolchain"
    rustup component add --toolchain "$toolchain" "$component" >/dev/null 2>&1 || return
  done
}

# have_target TRIPLE [TOOLCHAIN] : its standard library, fetched if rustup can.
have_target() {
  local sysroot
  sysroot=$(rustc ${2:+"+$2"} --print sysroot 2>/dev/null) || return
  [ -d "$sysroot/lib/rustlib/$1/lib" ] && return
  command -v rustup >/dev/null && echo "fetching the target $1" &&
    rustup target add ${2:+--toolchain "$2"} "$1" >/dev/null 2>&1
}

# check_oldest TOOLCHAIN ARG.. : cargo check, in this folder, which is a copy: with the oldest dependencies that its
# manifests allow.
check_oldest() {
  local toolchain=+$1
  shift
  RUSTC_BOOTSTRAP=1 cargo "$toolchain" -Zdirect-minimal-versions generate-lockfile 2>&1 |
    sed '/ Updating \| Locking /d; s/^ *Adding \(.*\) (.*/  \1/'
  RUSTFLAGS=-Dwarnings cargo "$toolchain" check --quiet "$@"
}

# oldest_rust : the toolchain of the oldest Rust that is promised (rust-version), fetched if rustup can.
oldest_rust() {
  local version
  version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  rustup toolchain list 2>/dev/null | grep -o -m1 "^$version[^ ]*" && return
  have_components "+$version" >&2 && echo "$version"
}
