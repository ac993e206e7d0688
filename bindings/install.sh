#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds the C library and installs it with the C and C++ headers, a CMake package and a pkg-config
# file. What it installs can be moved as a whole: no file holds an absolute path.
#
#   bindings/install.sh --prefix DIR [--libdir lib]
set -euo pipefail
usage() { echo "usage: bindings/install.sh --prefix DIR [--libdir DIR below the prefix, default lib]" >&2; exit 2; }

prefix='' libdir=lib
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2-} ;;
    --libdir) libdir=${2-} ;;
    *) usage ;;
  esac
  shift $(($# > 1 ? 2 : 1))
done
[ -n "$prefix" ] && [ -n "$libdir" ] && [ "${libdir#/}" = "$libdir" ] || usage
[ "$(uname -s)" = Linux ] || { echo "bindings/install.sh knows the library names of Linux only" >&2; exit 2; }

mkdir -p "$prefix/$libdir"/{cmake/ringback,pkgconfig} "$prefix/include/ringback" "$prefix/share/licenses/ringback"
prefix=$(cd "$prefix" && pwd)
cd "$(dirname "$0")/.."

version=$(cargo pkgid -p ringback-c | sed 's/.*[#@]//')
abi=$(sed -n 's/^#define RB_ABI \([0-9]*\)$/\1/p' bindings/c/include/ringback.h)
# The number of the ABI is part of the library's name, so that the loader refuses another one. Not in
# a build script: cargo would name every library that uses this crate so.
build() { cargo rustc --quiet --release -p ringback-c --crate-type "$1" -- "${@:2}" 2>&1; }
build cdylib -C "link-arg=-Wl,-soname,libringback_c.so.$abi"
static=$(build staticlib --print native-static-libs | sed -n 's/.*native-static-libs: //p' | tail -1)
[ -n "$version" ] && [ -n "$abi" ] && [ -n "$static" ] || { echo "cannot read version, ABI or system libraries" >&2; exit 1; }
built=${CARGO_TARGET_DIR:-target}/release

install -m 755 "$built/libringback_c.so" "$prefix/$libdir/libringback_c.so.$abi"
ln -sf "libringback_c.so.$abi" "$prefix/$libdir/libringback_c.so"
install -m 644 "$built/libringback_c.a" "$prefix/$libdir/"
install -m 644 bindings/c/include/ringback.h "$prefix/include/"
install -m 644 bindings/cpp/include/ringback/*.hpp "$prefix/include/ringback/"
install -m 644 LICENSE-MIT LICENSE-APACHE "$prefix/share/licenses/ringback/"

up() { realpath --relative-to="$prefix/$libdir/$1" "$prefix"; }
fill() {
  sed -e "s|@UP_FROM_CMAKE@|$(up cmake/ringback)|" -e "s|@UP_FROM_PC@|$(up pkgconfig)|" \
    -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" -e "s|@ABI@|$abi|" \
    -e "s|@STATIC_FLAGS@|$static|" -e "s|@STATIC_LIBRARIES@|${static// /;}|" "bindings/c/package/$1.in" >"$2/$1"
}
fill ringback-config.cmake "$prefix/$libdir/cmake/ringback"
fill ringback-config-version.cmake "$prefix/$libdir/cmake/ringback"
fill ringback.pc "$prefix/$libdir/pkgconfig"
echo "installed ringback $version (ABI $abi) in $prefix"
