#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds COVESA vsomeip for machines that have none, into a folder of the user's cache where this
# crate's build script looks by itself. No variable needs to be set, before or after.
#
# The source is the copy that the crate `vsomeip-sys` carries; cargo fetches and verifies it. The
# library is built without vsomeip's signal handling: Ctrl-C stays with the program that runs it.
#
#   native/build-vsomeip.sh            build, or do nothing where it is already there
#   native/build-vsomeip.sh --prefix   print the folder and do nothing else
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The folder's name says what is in it; build.rs reads the same file.
key=$(cat "$here/cache-key")-$(uname -m)
prefix=${XDG_CACHE_HOME:-$HOME/.cache}/ringback/$key
[ "${1:-}" = --prefix ] && { echo "$prefix"; exit; }
[ -e "$prefix/complete" ] && { echo "vsomeip is there: $prefix"; exit; }

packages=(cmake patch g++ libboost-system-dev libboost-thread-dev libboost-filesystem-dev)
missing=()
if command -v dpkg >/dev/null; then
  for package in "${packages[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
fi
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "missing: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"; exit 1; }
  echo "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
for tool in cmake patch cargo c++; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (and Boost's system, thread, filesystem)"; exit 1; }
done

mkdir -p "$(dirname "$prefix")"
exec 9>"$prefix.lock"
flock 9
[ -e "$prefix/complete" ] && { echo "vsomeip is there: $prefix"; exit; }

echo "building vsomeip into $prefix: about 9 minutes of processor time, once; log: $prefix.log"
build=$prefix.build
rm -rf "$build" "$prefix"
mkdir -p "$build/fetch/src"
exec 3>&1 >"$prefix.log" 2>&1
trap 'code=$?; [ $code = 0 ] || { echo "failed; the end of $prefix.log:"; tail -15 "$prefix.log"; } >&3; exit $code' EXIT

# A package whose only purpose is that cargo fetches its dependency.
cat >"$build/fetch/Cargo.toml" <<MANIFEST
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[dependencies]
vsomeip-sys = "=$(cat "$here/source-crate")"
[workspace]
MANIFEST
: >"$build/fetch/src/lib.rs"
crate=$(cargo metadata --format-version 1 --manifest-path "$build/fetch/Cargo.toml" |
  grep -o '"manifest_path":"[^"]*vsomeip-sys-[^"]*"' | head -1 | cut -d'"' -f4 | xargs dirname)

cp -r "$crate/vsomeip" "$build/source"
patch -d "$build/source" -p1 <"$crate/patches/disable_tests.patch" # they would be downloaded
sed -i 's/ -Werror / /' "$build/source/CMakeLists.txt"             # newer compilers warn about more
cmake -S "$build/source" -B "$build/cmake" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_RPATH='$ORIGIN' -DDISABLE_DLT=1
nice cmake --build "$build/cmake" --parallel "$(nproc)" --target install
touch "$prefix/complete"
rm -rf "$build"
exec >&3
echo "vsomeip is there: $prefix, after $((SECONDS / 60)) min $((SECONDS % 60)) s"
