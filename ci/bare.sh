#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Without std: the same program with threads as its interrupts on the host, and with a timer's on an
# emulated Cortex-M4, where nothing but it runs.
source "$(dirname "$0")/lib.sh"
expect() { grep -q "$1" || { echo "it did not say: $1"; exit 1; }; }
timeout 300 cargo run --quiet -p ringback-bare | tee /dev/stderr | expect '2000 rounds on the host'
timeout 300 cargo run --quiet --release -p ringback-bare | tee /dev/stderr | expect '2000 rounds on the host'
target=thumbv7em-none-eabihf
have_target "$target" || skip "the target $target is out of reach; on the host it ran"
for profile in dev release; do
  cargo build --quiet --profile "$profile" -p ringback-bare --target "$target"
done
need_debian qemu-system-arm
timeout 120 qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -semihosting-config enable=on,target=native \
  -kernel "${CARGO_TARGET_DIR:-target}/$target/release/ringback-bare" </dev/null | tee /dev/stderr |
  expect '1000 rounds on bare metal'
