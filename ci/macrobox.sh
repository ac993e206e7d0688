#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The macro expander: its tests, its own rust-analyzer and browser where they can be had.
source "$(dirname "$0")/lib.sh"
need_debian binutils chromium
export MACROBOX_NEED_BROWSER=1
if rust-analyzer --version >/dev/null 2>&1 || rustup component add rust-analyzer >/dev/null 2>&1; then
  export MACROBOX_NEED_RUST_ANALYZER=1
else
  echo "no rust-analyzer to be had here: not tried with it"
fi

cd tools/macrobox
cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --quiet
cargo_test

# Another compiler that is here: both servers must give for the committed calls what was recorded.
for toolchain in nightly; do
  if rustup run "$toolchain" rustc -vV >/dev/null 2>&1; then
    echo "with $toolchain: $(rustup run "$toolchain" rustc -V)"
    target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    (cd zoo && RUSTUP_TOOLCHAIN=$toolchain "$target/debug/cargo-macrobox" selftest -p zoo-real --corpus corpus.txt)
  else
    echo "no $toolchain here: not tried with it"
  fi
done
