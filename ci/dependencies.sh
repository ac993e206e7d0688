#!/usr/bin/env bash
# What the core crate may depend on: no parser library, no runtime, no C++.
source "$(dirname "$0")/lib.sh"
tree=$(cargo tree -p ringback -e normal,build --prefix none --format '{p}' | awk '{print $1}' | sort -u)
allowed='^(ringback|ringback-macros|atomic-waker|libc)$'
unexpected=$(grep -vE "$allowed" <<<"$tree" || true)
[ -n "$tree" ] || { echo "cargo tree printed nothing"; exit 1; }
[ -z "$unexpected" ] || { echo "the core crate has grown dependencies:"; echo "$unexpected"; exit 1; }
echo "$tree"
