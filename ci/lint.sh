#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Formatting, clippy and the documentation, all without a warning; each source file names its licence,
# and SAFETY.md each with unsafe code.
source "$(dirname "$0")/lib.sh"
need_lints
need_python
ci/spdx.py
ci/unsafe.py
echo "formatting"
cargo fmt --all --check
echo "clippy"
clippy --workspace --all-targets
clippy -p ringback --all-features --all-targets
cargo fmt --check --manifest-path bench/Cargo.toml
echo "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps --all-features
long=$(git ls-files '*.rs' '*.cpp' '*.hpp' | xargs wc -l | awk '$1 > 500 && $2 != "total"')
[ -z "$long" ] || { echo "over 500 lines:"; echo "$long"; exit 1; }
