#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The C# package on Mono and on Microsoft's CoreCLR: every test on both, then the package itself, used
# by a fresh program.
#
#   ci/dotnet.sh            everything
#   ci/dotnet.sh NAME..     only the C# tests whose names contain one of these
source "$(dirname "$0")/lib.sh"
source bindings/csharp/dotnet.sh
source bindings/csharp/tests/mutations.sh
must_run RINGBACK_SKIP_DOTNET
need_runtimes
export RUST_BACKTRACE=0
out=$target/csharp
rm -rf "$out"
mkdir -p "$out/tests"

cargo_test -p ringback-dotnet

# bounded SECONDS RUNTIME PROGRAM ARG.. : as runtime, killed when it takes longer.
bounded() {
  local seconds=$1
  shift
  timeout -s KILL "$seconds" bash -c \
    "$(declare -f runtime); $(declare -p coreclr exec_options); runtime \"\$@\"" bash "$@"
}

# run RUNTIME PROGRAM ARG.. : the program's own report, if it is one of tests that passed.
run() {
  local name=$1 program=$2 log=$out/$1.log
  shift 2
  # What panics say on standard error is shown only if something failed.
  if ! bounded 900 "$name" "$program" "$@" >"$log" 2>"$log.stderr" || ! grep -qE '^[1-9][0-9]* passed, 0 failed$' "$log"; then
    tail -50 "$log.stderr"
    cat "$log"
    echo "failed on $name"
    return 1
  fi
  grep -E '^runtime: |passed' "$log"
}

build_native "$out/tests" ringback-dotnet ringback-native
build_assembly "$out/tests"
build_program "$out/tests" tests "$csharp"/tests/*.cs
for name in mono coreclr; do
  run "$name" "$out/tests/tests.exe" "$@"
done
[ $# -eq 0 ] || exit 0
mutations

# What the guide shows.
cargo build --quiet --release -p ringback-guide
cp "$target/release/libdoor.so" "$out/tests"
build_program "$out/tests" Door guide/Door.cs
for name in mono coreclr; do
  bounded 60 "$name" "$out/tests/Door.exe" >"$out/tests/Door.txt"
  diff "$out/tests/Door.txt" guide/Door.cs.expected
done
echo "Door.cs: as the guide says"

# A missing native library is explained.
mkdir "$out/alone"
cp "$out"/tests/{Ringback.dll,tests.exe,tests.runtimeconfig.json,libringback_native.so} "$out/alone"
for name in mono coreclr; do
  said=$(runtime "$name" "$out/alone/tests.exe" TheCompilerInfers 2>&1) && { echo "ran without its library"; exit 1; }
  grep -q "put libringback_dotnet.so" <<<"$said" || { echo "$said"; echo "the remedy is not told on $name"; exit 1; }
done

# The package: what is in it, the same bytes again, from other folders too.
package=$(bindings/csharp/pack.sh "$out/first")
again=$(bindings/csharp/pack.sh "$out/second")
cmp "$package" "$again"
mkdir "$out/elsewhere"
git ls-files -z --cached --others --exclude-standard -- Cargo.toml Cargo.lock 'LICENSE-*' rustfmt.toml bindings ci crates examples guide \
  | xargs -0 cp --parents -t "$out/elsewhere"
elsewhere=$(CARGO_TARGET_DIR=$out/elsewhere/target "$out/elsewhere/bindings/csharp/pack.sh" "$out/third")
cmp "$package" "$elsewhere"
unzip -l "$package" | awk 'NR > 3 && NF == 4 { print $4 }' | diff - <(cat <<'FILES'
[Content_Types].xml
_rels/.rels
Ringback.nuspec
README.md
LICENSE-MIT.txt
LICENSE-APACHE.txt
lib/netstandard2.1/Ringback.dll
lib/netstandard2.1/Ringback.xml
runtimes/linux-x64/native/libringback_dotnet.so
FILES
)
echo "package: $(stat -c %s "$package") bytes, the same from three builds in two folders"

# A program that finds the package as NuGet unpacks it. CoreCLR finds both files in the package by
# itself; beside the program, as publishing puts them, they serve both runtimes.
version=$(basename "$package" .nupkg)
version=${version#Ringback.}
packages=$out/packages
unpacked=$packages/ringback/$version
mkdir -p "$unpacked" "$out/consumer" "$out/published"
unzip -q "$package" -d "$unpacked"
assembly=$unpacked/lib/netstandard2.1/Ringback.dll
for member in 'T:Ringback.Callback' 'M:Ringback.Callback.From``1(``0)' 'P:Ringback.RustCallback`1.Invoke' 'T:Ringback.RustException'; do
  grep -qF "name=\"$member\"" "$unpacked/lib/netstandard2.1/Ringback.xml" || { echo "not documented: $member"; exit 1; }
done
cp "$assembly" "$out/published"
cp "$unpacked/runtimes/linux-x64/native/libringback_dotnet.so" "$out/published"
build_program "$out/published" consumer "$csharp/consumer/Consumer.cs"
cp "$out"/published/consumer.{exe,runtimeconfig.json} "$out/consumer"
sed "s/@VERSION@/$version/g" "$csharp/consumer/deps.json" >"$out/consumer/consumer.deps.json"
expected='asked True, shut True, alive 1
alive 0'
cd /
for name in mono coreclr; do
  diff <(runtime "$name" "$out/published/consumer.exe") - <<<"$expected"
done
exec_options=(--additionalprobingpath "$packages")
diff <(runtime coreclr "$out/consumer/consumer.exe") - <<<"$expected"
echo "package: used by a fresh program on mono and coreclr"
