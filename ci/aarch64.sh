#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The inbound suite on Linux aarch64: cross-built, and run under qemu-user with every instruction of
# the table, bti included. An emulator on x86-64 does not show weak memory ordering: the models
# (ci/loom.sh), which know no machine, and the argument in inbound/slot.rs stand for that.
source "$(dirname "$0")/lib.sh"
[ "$(uname -s)" = Linux ] || skip "qemu-user is for Linux"
target=aarch64-unknown-linux-gnu
# Of the compiler, which is the host's: ui, macro_consumer, macro_types. Not inbound: hook.
others=(ui macro_consumer macro_types 'hook*')
if [ "$(uname -m)" != aarch64 ]; then
  have_target "$target" || skip "the target $target is out of reach"
  need_debian gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export RINGBACK_RUNNER="qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu"
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$RINGBACK_RUNNER
  filtered=(barrier_refused_at_start barrier_refused_later no_executable_memory)
  others+=("${filtered[@]}")
  not_here "under qemu-user, which has no seccomp: ${filtered[*]}"
  not_here "under qemu-user, which has no threads after a fork: life's fork::{registrations_live_on_in_parent_and_child,others_enter_leave_sweep_and_drop_meanwhile} and fork_async::a_mailbox_into_which_lost_threads_were_pushing_is_drained_to_an_end"
fi
export CARGO_PROFILE_RELEASE_DEBUG=false
mapfile -t suite < <(test_programs "${others[@]}")
cargo_test --release --target "$target" -p ringback -p ringback-life --features ringback/tracing "${suite[@]}" --test=life
# The generated table too, which takes another build: on every other target it is all there is.
[ "${RINGBACK_SHORT:-}" = 1 ] || RUSTFLAGS="--cfg ringback_portable" \
  cargo_test --release --target "$target" --target-dir target/portable -p ringback --test signatures --test quiet
