#!/usr/bin/env bash
# Thread sanitizer over the suite and over the C++ bus: every hand-over is ordered.
source "$(dirname "$0")/lib.sh"
sanitizer=thread source ci/sanitize.sh
