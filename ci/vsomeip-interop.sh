#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# This transport and the crate up-transport-vsomeip 0.6, each once on either side; and the drop-in for
# its macro with the types of the real vsomeip-sys. By name: it builds the peer, which takes minutes.
source "$(dirname "$0")/lib.sh"
folder=integrations/vsomeip
need_debian g++ pkg-config libclang-dev clang
pkg-config --exists 'vsomeip3 >= 3.4' 2>/dev/null || "$folder/native/build-vsomeip.sh"
cargo run --quiet --release --manifest-path "$folder/bench/Cargo.toml" -- interop
