#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The public items of the vsomeip transport are those that are committed; ci/vsomeip.sh runs this. The
# other crates' are checked by ci/api.sh.
#
#   RINGBACK_BLESS=1 ci/vsomeip-api.sh    renews tools/api/ringback-vsomeip.txt: read the difference, since
#                                         a line that goes or changes breaks those who used it
source "$(dirname "$0")/lib.sh"
[ "$host" = x86_64-unknown-linux-gnu ] || { not_here "the transport's public items: the list is that of Linux x86-64"; exit; }
# As in ci/api.sh: the format of rustdoc's JSON is this compiler's.
version=$(sed -n 's/^version=//p' ci/api.sh)
[[ $(rustc -V) == "rustc $version "* ]] || { not_here "the transport's public items: the list is that of Rust $version"; exit; }
manifest=integrations/vsomeip/Cargo.toml
target=${CARGO_TARGET_DIR:-$PWD/integrations/vsomeip/target}
tool=${CARGO_TARGET_DIR:-$PWD/target}/api
cargo build --quiet --manifest-path tools/api/Cargo.toml --target-dir "$tool"

# The variable is for rustdoc alone: cargo would build every dependency again for it.
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
printf '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n' >"$work/rustdoc"
chmod +x "$work/rustdoc"
RUSTDOC=$work/rustdoc RUSTDOCFLAGS="-Zunstable-options --output-format json" \
  cargo doc --quiet --no-deps --lib --manifest-path "$manifest" --target-dir "$target"
"$tool/debug/ringback-api" "$target/doc/ringback_vsomeip.json" >"$work/items"
[ -s "$work/items" ] || { echo "ringback-vsomeip: lists nothing"; exit 1; }
list=tools/api/ringback-vsomeip.txt
if [ "${RINGBACK_BLESS:-}" = 1 ]; then
  cp "$work/items" "$list"
elif ! diff -U 1 "$list" "$work/items"; then
  echo "the public items have changed; if they should: RINGBACK_BLESS=1 ci/vsomeip-api.sh"
  exit 1
fi
echo "ringback-vsomeip: $(wc -l <"$list") public items"
