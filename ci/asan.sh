#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Address sanitizer over the suite and over the C++ bus: nothing is freed under a call, or leaked.
source "$(dirname "$0")/lib.sh"
sanitizer=address source ci/sanitize.sh
