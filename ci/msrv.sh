#!/usr/bin/env bash
# The oldest Rust that is promised (rust-version): built with all features, and the suite run.
source "$(dirname "$0")/lib.sh"
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
toolchain=$(rustup toolchain list 2>/dev/null | grep -o "^$version[^ ]*" | head -1) || true
if [ -z "$toolchain" ]; then
  command -v rustup >/dev/null && rustup toolchain install --profile minimal "$version" >/dev/null 2>&1 ||
    skip "Rust $version is out of reach"
  toolchain=$version
fi
cargo "+$toolchain" check --quiet -p ringback --all-features --target-dir target/msrv
cargo "+$toolchain" check --quiet -p ringback --no-default-features --target-dir target/msrv
# trybuild's expectations are those of the newest compiler.
mapfile -t tests < <(test_programs ui 'macro_*')
cargo_test "+$toolchain" -p ringback --all-features --target-dir target/msrv "${tests[@]}"
