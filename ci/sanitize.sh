# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The body of asan.sh and tsan.sh; $sanitizer is set.
# shellcheck shell=bash
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the $sanitizer sanitizer is set up for Linux x86-64"
have_rust_src || skip "the $sanitizer sanitizer needs the component rust-src, which is out of reach"
mkdir -p target
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$sanitizer"
export CXXFLAGS="-fsanitize=$sanitizer -g"
# One test forgets futures on purpose, and their memory with them: that one, and no other.
leaks=futures_forgotten_in_a_slot_leak_their_memory
[ "$(grep -rh "fn $leaks" crates/*/tests crates/*/src | wc -l)" = 1 ] || { echo "not one test is named $leaks"; exit 1; }
printf 'leak:%s\n' "$leaks" >target/lsan.supp
export LSAN_OPTIONS="suppressions=$PWD/target/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="halt_on_error=1" ASAN_OPTIONS="detect_stack_use_after_return=1"
target=target/$sanitizer-sanitizer
arguments=(-Zbuild-std --target "$host" --target-dir "$target")
cargo_test "${arguments[@]}" -p ringback --features hook --tests
# In the same profile, so that std is built once.
cargo build --quiet "${arguments[@]}" --example vehicle_bus
"$target/$host/debug/examples/vehicle_bus" --listeners 500 --messages 100000 --threads 3
