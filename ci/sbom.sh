#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The bill of materials of the vsomeip transport: every crate of its lockfile that is built into a
# program or builds it, and the native parts that a program loads. CycloneDX, JSON.
#
#   ci/sbom.sh            fails where integrations/vsomeip/sbom.cdx.json is not current
#   ci/sbom.sh --write    writes it
#   ci/sbom.sh --machine  prints it with the versions of vsomeip and Boost that this machine has
source "$(dirname "$0")/lib.sh"
need_python
folder=integrations/vsomeip
now=$(mktemp)
trap 'rm -f "$now"' EXIT
libraries=
if [ "${1:-}" = --machine ]; then
  need_debian binutils pkg-config
  libraries=$(pkg-config --variable=libdir 'vsomeip3 >= 3.4' 2>/dev/null || echo "$("$folder/native/build-vsomeip.sh" --prefix)/lib")
  [ -e "$libraries/libvsomeip3.so.3" ] || { echo "no vsomeip here: run $folder/native/build-vsomeip.sh"; exit 1; }
fi
manifest=$folder/Cargo.toml
# The same on every machine: vsomeip is for Linux, and its crates are the same on all processors.
for_linux=x86_64-unknown-linux-gnu
tree() { cargo tree --locked --manifest-path "$manifest" --target $for_linux --prefix none --format '{p}' --edges "$1"; }
cargo metadata --locked --format-version 1 --manifest-path "$manifest" --filter-platform $for_linux |
  python3 ci/sbom.py "$folder" "$libraries" "$(tree normal,build)" "$(tree normal,no-proc-macro)" >"$now"
case "${1:-}" in
  --write) cp "$now" "$folder/sbom.cdx.json" ;;
  --machine) cat "$now" ;;
  *) diff -u "$folder/sbom.cdx.json" "$now" || { echo "not current: run ci/sbom.sh --write"; exit 1; } ;;
esac
