#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The macro expander: its tests, its own rust-analyzer and browser where they can be had.
source "$(dirname "$0")/lib.sh"
need_debian binutils chromium
export MACROBOX_NEED_BROWSER=1
# Of these compilers the box speaks the bridge. Others may have another (1.88 has), from which macrobox falls back
# to the toolchain's server: tests/versions.rs.
oldest=95 newest=99 speaks=1.95.0
minor=$(rustc -V | sed 's/^rustc 1\.\([0-9]*\)\..*/\1/')
if [ "$minor" -lt "$oldest" ] || [ "$minor" -gt "$newest" ]; then
  have_components "+$speaks" rustfmt clippy rust-analyzer || lacks "needs Rust $speaks, since $(rustc -V) has another bridge"
  not_here "the box by $(rustc -V): its bridge is another one; by Rust $speaks instead"
  export RUSTUP_TOOLCHAIN=$speaks
fi
need_lints
if rust-analyzer --version >/dev/null 2>&1 || have_components rust-analyzer; then
  export MACROBOX_NEED_RUST_ANALYZER=1
else
  not_here "rust-analyzer's own client: the component is out of reach"
fi

cd tools/macrobox
cargo fmt --all --check
clippy --workspace --all-targets
# The box's server and the tap are built by the user's compiler and are no crates here: their unsafe blocks.
# form_of RUSTC.. : how they are told the form of the compiler's bridge.
form_of() { [[ $("$@" -V) =~ ^rustc\ 1\.9[5-7]\. ]] || echo "--cfg nameless"; }
form=$(form_of rustc)
read -ra flags <<<"$form"
parts=$(mktemp -d)
mkdir "$parts"/{server,tap}
cp server/*.rs "$parts/server"
cp tap/*.rs server/{client,lex,message,token,wire}.rs "$parts/tap"
for part in "server bin" "tap cdylib"; do
  read -r name type <<<"$part"
  RUSTC_BOOTSTRAP=1 clippy-driver --edition=2024 --crate-name "$name" --crate-type "$type" "${flags[@]}" --emit=metadata \
    --out-dir "$parts" -Awarnings -Dclippy::undocumented_unsafe_blocks -Dunsafe_op_in_unsafe_fn "$parts/$name/main.rs"
done
rm -r "$parts"
RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --quiet
cargo_test

# Other compilers: both servers must give for the committed calls what was recorded. By one of the other form of
# the bridge, the box holds too.
contained=$(cargo test --no-run --test contained --message-format=json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*contained[^"]*\)".*/\1/p')
for toolchain in 1.95.0 nightly 1.99.1; do
  [[ $(rustc -V) != "rustc $toolchain "* ]] || continue
  if have_components "+$toolchain"; then
    echo "with $toolchain: $(rustup run "$toolchain" rustc -V)"
    target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    (cd zoo && RUSTUP_TOOLCHAIN=$toolchain "$target/debug/cargo-macrobox" selftest -p zoo-real --corpus corpus.txt)
    [ "$(form_of rustup run "$toolchain" rustc)" = "$form" ] ||
      RUSTUP_TOOLCHAIN=$toolchain "$contained" every_hostile_macro_is_contained
  else
    not_here "the corpus by $toolchain, which rustup could not get"
  fi
done
