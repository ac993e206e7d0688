# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The body of asan.sh and tsan.sh; $sanitizer is set.
# shellcheck shell=bash
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the $sanitizer sanitizer is set up for Linux x86-64"
have_rust_src || skip "the $sanitizer sanitizer needs the component rust-src, which is out of reach"
# For reports that name functions, where it can be had.
command -v llvm-symbolizer >/dev/null || (need_debian llvm) || true
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$sanitizer"
export CXXFLAGS="-fsanitize=$sanitizer -g"
export TSAN_OPTIONS="halt_on_error=1" ASAN_OPTIONS="detect_stack_use_after_return=1"
target=target/$sanitizer-sanitizer
arguments=(-Zbuild-std --target "$host" --target-dir "$target")
# One test forgets futures on purpose, and their memory with them: it runs by itself, and may leak. (A list
# of what may leak goes by names, which a machine without a symbolizer does not know.)
leaks=futures_forgotten_in_a_slot_leak_their_memory
[ "$(grep -rh "fn $leaks" crates/*/tests crates/*/src | wc -l)" = 1 ] || { echo "not one test is named $leaks"; exit 1; }
cargo_test "${arguments[@]}" -p ringback --features hook --tests -- --skip "$leaks"
ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" cargo_test "${arguments[@]}" -p ringback --features hook --tests -- "$leaks"
# In the same profile, so that std is built once.
cargo build --quiet "${arguments[@]}" --example vehicle_bus
"$target/$host/debug/examples/vehicle_bus" --listeners 500 --messages 100000 --threads 3
