#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The public items of the publishable crates, and of what their macros make, are those that are committed, and
# features only add to them.
# Those of the vsomeip transport: ci/vsomeip-api.sh.
#
#   RINGBACK_BLESS=1 ci/api.sh    renews the lists in tools/api: read the difference, since a line that
#                                 goes or changes breaks those who used it
source "$(dirname "$0")/lib.sh"
need_python
[ "$host" = x86_64-unknown-linux-gnu ] || skip "the lists are those of Linux x86-64"
# The format of rustdoc's JSON is not stable: tools/api reads what this compiler writes.
version=1.95.0
toolchain=+$version
if [[ $(rustc -V) == "rustc $version "* ]]; then
  toolchain=
elif ! rustc "$toolchain" -V >/dev/null 2>&1; then
  command -v rustup >/dev/null && echo "fetching Rust $version" &&
    rustup toolchain install --profile minimal "$version" >/dev/null 2>&1 || skip "Rust $version is out of reach"
fi
target=${CARGO_TARGET_DIR:-$PWD/target}/api
mapfile -t crates < <(published | cut -d" " -f1)
[ ${#crates[@]} -gt 0 ] || { echo "no crate is published"; exit 1; }

# documented ARG.. : writes the JSON of these packages with these features.
documented() {
  RUSTC_BOOTSTRAP=1 RUSTDOCFLAGS="-Zunstable-options --output-format json -Arustdoc::broken_intra_doc_links" \
    cargo $toolchain doc --quiet --no-deps --lib --target-dir "$target" "$@"
}
list() { "$target/debug/ringback-api" "$target/doc/${1//-/_}.json"; }

cargo fmt --check --manifest-path tools/api/Cargo.toml -p ringback-api -p ringback-api-generated
cargo build --quiet --manifest-path tools/api/Cargo.toml --target-dir "$target"

documented --no-default-features -p ringback
list ringback >"$target/bare.txt"
documented --all-features "${crates[@]/#/--package=}"
documented --manifest-path tools/api/Cargo.toml -p ringback-api-generated
drifted=0
for crate in "${crates[@]}" generated; do
  list "${crate/#generated/ringback-api-generated}" >"$target/$crate.txt"
  [ -s "$target/$crate.txt" ] || { echo "$crate: lists nothing"; exit 1; }
  if [ "${RINGBACK_BLESS:-}" = 1 ]; then
    cp "$target/$crate.txt" "tools/api/$crate.txt"
  elif ! diff -U 1 "tools/api/$crate.txt" "$target/$crate.txt"; then
    drifted=1
  fi
  echo "$crate: $(wc -l <"$target/$crate.txt") public items"
done
[ "$drifted" = 0 ] || { echo "the public items have changed; if they should: RINGBACK_BLESS=1 ci/api.sh"; exit 1; }

gone=$(grep -vxFf "$target/ringback.txt" "$target/bare.txt" || true)
[ -z "$gone" ] || { echo "these items are there without features, and not with all:"; echo "$gone"; exit 1; }
echo "ringback: $(wc -l <"$target/bare.txt") of them without any feature"
