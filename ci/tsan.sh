#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Thread sanitizer over the suite and over the C++ bus: every hand-over is ordered.
source "$(dirname "$0")/lib.sh"
sanitizer=thread source ci/sanitize.sh
