#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Other targets: Windows under wine, 32-bit x86 and RISC-V under qemu-user, as far as their tools are
# to be had here; each that is not is named at the end. The short form has the compiler check the crate for
# each, and where the tools are there already runs the program of ci/bare.sh, threads included: on the core
# without std, and on the one with it.
source "$(dirname "$0")/lib.sh"
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the cross tools are set up for Debian on x86-64"
suite=(listeners macro_forms panics quiet reuse scopes signatures tracked)
export CARGO_PROFILE_RELEASE_DEBUG=false
short=${RINGBACK_SHORT:-}
missing=() ran=0

there() { command -v "$1" >/dev/null && command -v "${2%% *}" >/dev/null; }

run() { # TARGET LINKER RUNNER PACKAGE..
  local target=$1 linker=$2 runner=$3
  local name=${target^^}
  name=${name//-/_}
  echo "$target"
  if ! have_target "$target" || { [ "$short" != 1 ] && ! (need_debian "${@:4}"); }; then
    missing+=("$target")
    return
  fi
  ran=$((ran + 1))
  export "CARGO_TARGET_${name}_LINKER=$linker" "CARGO_TARGET_${name}_RUNNER=$runner"
  if [ "$short" != 1 ]; then
    cargo_test --release --target "$target" -p ringback "${suite[@]/#/--test=}"
    return
  fi
  cargo check --quiet --target "$target" -p ringback --all-features
  if there "$linker" "$runner"; then
    for features in "" ringback/std; do
      timeout 300 cargo run --quiet --release --target "$target" -p ringback-bare --features "$features" |
        tee /dev/stderr | grep -q '2000 rounds on the host' || { echo "it did not run to its end"; exit 1; }
    done
  else
    not_here "a program for $target, without $linker and ${runner%% *}"
  fi
}

export WINEDEBUG=-all WINEPREFIX=$PWD/target/wine
mkdir -p target/wine-libraries
# Debian 12's wine lacks the library from which Rust's std takes random numbers: one that asks another.
stand_in() {
  x86_64-w64-mingw32-gcc -shared -x c - -o target/wine-libraries/bcryptprimitives.dll -ladvapi32 <<'C'
#include <stddef.h>
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *, unsigned long);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, size_t size) {
  return SystemFunction036(data, (unsigned long)size);
}
C
}
if [ "$short" = 1 ]; then there x86_64-w64-mingw32-gcc wine; else (need_debian gcc-mingw-w64-x86-64); fi && stand_in
export WINEPATH=$PWD/target/wine-libraries
run x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc wine gcc-mingw-w64-x86-64 wine64 wine
run i686-unknown-linux-gnu i686-linux-gnu-gcc "qemu-i386 -L /usr/i686-linux-gnu" \
  gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user
run riscv64gc-unknown-linux-gnu riscv64-linux-gnu-gcc "qemu-riscv64 -L /usr/riscv64-linux-gnu" \
  gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-user
[ ${#missing[@]} -eq 0 ] || not_here "${missing[*]}"
[ "$ran" -gt 0 ] || skip "no target's tools are to be had"
