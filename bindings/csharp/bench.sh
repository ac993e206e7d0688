#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What C# callbacks cost Rust, on both runtimes: prints "NAME MEDIAN LOW HIGH" per line, all else to
# standard error.
source "$(dirname "${BASH_SOURCE[0]}")/../../ci/lib.sh"
source bindings/csharp/dotnet.sh
out=$target/csharp/bench
mkdir -p "$out"
{
  need_runtimes
  build_native "$out" ringback-dotnet ringback-native
  build_assembly "$out"
  build_program "$out" bench "$csharp/bench/Bench.cs"
} >&2
for name in coreclr mono; do
  runtime "$name" "$out/bench.exe"
done
