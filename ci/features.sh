#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Features are documented and only add: each combination builds without a warning, and ci/api.sh looks at
# what is public. (The tests run with the default ones
# and with all in ci/unit.sh; without any, the core has a program of its own, in ci/bare.sh.)
source "$(dirname "$0")/lib.sh"
need_python
features=(std tracing histogram stream tokio hook)
listed=$(cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "ringback":
        print(*sorted(set(package["features"]) - {"default"}))')
[ "$listed" = "$(printf '%s\n' "${features[@]}" | sort | xargs)" ] ||
  { echo "the features are: $listed; bring ci/features.sh up to date"; exit 1; }
for feature in "${features[@]}"; do
  grep -q "^//! | \`$feature\`" crates/ringback/src/lib.rs || { echo "the documentation of the crate does not list the feature $feature"; exit 1; }
done
combinations=$((1 << ${#features[@]}))
for ((mask = 0; mask < combinations; mask++)); do
  chosen=()
  for i in "${!features[@]}"; do
    ((mask >> i & 1)) && chosen+=("${features[i]}")
  done
  names=$(IFS=,; echo "${chosen[*]}")
  RUSTFLAGS=-Dwarnings cargo check --quiet -p ringback --no-default-features --features "$names" \
    --target-dir target/features || { echo "does not build: --features '$names'"; exit 1; }
done
echo "$combinations combinations build"
