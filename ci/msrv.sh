#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The oldest Rust that is promised (rust-version) builds the published crates, with all features and the
# oldest dependencies that their manifests allow. The suite on it is the one that ci/coverage.sh runs.
source "$(dirname "$0")/lib.sh"
need_python
target=${CARGO_TARGET_DIR:-$PWD/target}/msrv
toolchain=$(oldest_rust) || skip "the oldest Rust is out of reach"

# Without the dev-dependencies, which nobody gets with the crates.
oldest=$(mktemp -d)
trap 'rm -rf "$oldest"' EXIT
cp Cargo.toml "$oldest"
published | while read -r _ folder; do
  git ls-files -z "$folder" | xargs -0 cp --parents -t "$oldest"
  sed -i '/^\[.*dev-dependencies\]/,/^$/d' "$oldest/$folder/Cargo.toml"
done
sed -n 's/^    "\(.*\)",$/\1/p' Cargo.toml | while read -r member; do
  [ -d "$oldest/$member" ] || sed -i "\|^    \"$member\",$|d" "$oldest/Cargo.toml"
done
(cd "$oldest" && check_oldest "$toolchain" --workspace --all-features --target-dir "$target")

cargo "+$toolchain" check --quiet -p ringback --no-default-features --target-dir "$target"
# A tool, with the dependencies that its lockfile names. Of the transport, ci/vsomeip.sh asks the same.
cargo "+$toolchain" check --quiet --locked --manifest-path tools/macrobox/Cargo.toml --target-dir "$target"
