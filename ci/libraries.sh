#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The examples on real C libraries, in their own workspace.
source "$(dirname "$0")/lib.sh"
need_lints
need_debian libcurl4-openssl-dev libsqlite3-dev libxml2-dev libevent-dev libssl-dev libgmp-dev libsodium-dev \
  liblmdb-dev libclang-dev pkg-config
cd examples/libraries
${CC:-cc} -std=c11 -Wall -Wextra -Werror -fsyntax-only declarations.c
cargo fmt --check
clippy --all-targets
cargo_test
