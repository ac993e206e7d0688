#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# This transport and the crate up-transport-vsomeip 0.6, each once on either side; and the drop-in for
# its macro with the types of the real vsomeip-sys.
#
#   ci/vsomeip-interop.sh          builds the peer, which takes minutes, and keeps its program in the cache
#   ci/vsomeip-interop.sh --built  the four pairs with the program of the cache; part of ci/vsomeip.sh,
#                                  which says so where there is none
source "$(dirname "$0")/lib.sh"
folder=integrations/vsomeip
bench=$folder/bench
prefix=$("$folder/native/build-vsomeip.sh" --prefix)
# Of the sources that make the program, and of the vsomeip that it is linked to.
key=$(cat "$bench"/peer/{Cargo.toml,Cargo.lock,build.rs,src/main.rs} "$bench/src/contestant.rs" "$folder/native/cache-key" | sha256sum | cut -c1-16)
program=$(dirname "$prefix")/up-transport-vsomeip-0.6.0-$key-$(uname -m)

if [ "${1:-}" = --built ]; then
  [ -x "$program" ] || { not_here "the peer's program is not in the cache; ci/vsomeip-interop.sh puts it there"; exit 0; }
  target=${CARGO_TARGET_DIR:-$PWD/$folder/target}
  RINGBACK_PEER_PROGRAM=$program cargo run --quiet --manifest-path "$bench/Cargo.toml" --target-dir "$target" -- interop
  exit
fi
need_debian g++ pkg-config libclang-dev clang
pkg-config --exists 'vsomeip3 >= 3.4' 2>/dev/null || "$folder/native/build-vsomeip.sh"
cargo run --quiet --manifest-path "$bench/Cargo.toml" -- interop
built=$bench/peer/target
[ -z "${CARGO_TARGET_DIR:-}" ] || built=$CARGO_TARGET_DIR/peer
mkdir -p "$(dirname "$program")"
cp "$built/debug/peer-contestant" "$program"
