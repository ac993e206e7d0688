#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The thunks as they stand in a program: each begins with a landing pad for indirect branches, and
# resolves to a symbol that names its pool. With branch protection asked of the compiler, the program
# carries the property note that has the processor check it.
source "$(dirname "$0")/lib.sh"
[ "$(uname -sm)" = "Linux x86_64" ] || skip "written for x86-64, with aarch64 beside"
need_debian binutils gdb

# pads PROGRAM OBJDUMP PAD : every sixteen bytes of every table begin with PAD.
pads() {
  local thunks=0 start size symbol
  while read -r start size symbol; do
    start=$((16#$start)) size=$((16#$size))
    local first=$(((start + 15) / 16 * 16)) expected=$(((size) / 16)) found
    found=$("$2" -d --no-show-raw-insn --start-address="$first" --stop-address="$((first + expected * 16))" "$1" |
      awk -v pad="$3" -F ':\t' '$1 ~ /0$/ && $2 ~ "^"pad { n++ } END { print n + 0 }')
    [ "$found" = "$expected" ] || { echo "$symbol: $found of $expected thunks begin with $3"; return 1; }
    thunks=$((thunks + found))
  done < <(nm -SC "$1" | awk '/TABLE::thunks/ { name = $4; for (i = 5; i <= NF; i++) name = name " " $i; print $1, $2, name }')
  [ "$thunks" -gt 0 ] || { echo "no thunks in $1"; return 1; }
  echo "$1: $thunks thunks, each begins with $3"
}

cargo build --quiet --release --example vehicle_bus
program=${CARGO_TARGET_DIR:-target}/release/examples/vehicle_bus
pads "$program" objdump endbr64
address=$(nm "$program" | awk '/TABLE.*thunks/ && !n++ { print $1 }')
gdb_names() { gdb -batch -ex "info symbol 0x$address + 16 * 7" "$1" 2>/dev/null | tail -1; }
name=$(gdb_names "$program")
[[ $name == *vehicle_bus*TABLE::thunks*"+ 112"* ]] || { echo "gdb calls slot 7: $name"; exit 1; }
echo "gdb calls slot 7: ${name%% in section*}"
mkdir -p target
strip -o target/thunks.stripped "$program"
[[ $(gdb_names target/thunks.stripped) != *TABLE::thunks* ]] || { echo "gdb knows a symbol that is not there"; exit 1; }

# perf_sees : whether a profile of calls names the pool whose thunks were met. A thunk takes a nanosecond,
# so a profile meets few: it is taken up to five times. Newer compilers name the trait as well.
perf_sees() {
  local profile=target/thunks.perf seen=0
  (need_debian linux-perf) && perf record -q -e cpu-clock -o "$profile" true 2>/dev/null ||
    { not_here "perf, which may not sample"; return; }
  for _ in 1 2 3 4 5; do
    perf record -q -e cpu-clock -F 10000 -o "$profile" "$program" --listeners 500 --messages 2000000 --threads 2 >/dev/null 2>&1
    seen=$(perf script -i "$profile" -F ip,sym,symoff 2>/dev/null | grep -cE 'ON_MESSAGE.*::TABLE::thunks\+0x') || true
    [ "$seen" = 0 ] || { echo "perf met thunks $seen times, each under its pool's name"; return; }
  done
  echo "perf names no thunk"
  return 1
}
perf_sees

if have_target aarch64-unknown-linux-gnu && (need_debian gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross); then
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    cargo build --quiet --release --target aarch64-unknown-linux-gnu --example qsort
  pads "${CARGO_TARGET_DIR:-target}/aarch64-unknown-linux-gnu/release/examples/qsort" aarch64-linux-gnu-objdump "bti	c"
else
  not_here "aarch64"
fi

# Whoever builds everything, std included, with branch protection, gets a program that says so: the
# compiler marks the objects that hold the thunks, and the linker (which drops the mark where one object
# lacks it, as the C library's start files do on Debian) is told to set it.
have_rust_src || { not_here "property notes, which need rust-src"; exit 0; }
# A note is the same whatever is optimised, and std builds in half the time.
export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_OPT_LEVEL=0
protect() { # TARGET PREFIX-OF-BINUTILS FLAGS NOTE LINKER-FLAG..
  local folder=target/protected/$1/release prefix=$2 note=$4 flags="$3 --emit=obj,link" flag
  for flag in "${@:5}"; do flags+=" -Clink-arg=-Wl,-z,$flag"; done
  rm -f "$folder"/examples/qsort*
  RUSTFLAGS=$flags cargo build --quiet -Zbuild-std --release --target "$1" --target-dir target/protected --example qsort
  says() { "${prefix}readelf" -n "$folder/$1" 2>/dev/null | grep -q "$note"; }
  local object
  object=$(find "$folder/examples" -name 'qsort-*.o' | head -1)
  # Told to set it, the linker asks nobody. So everything that is not C's is linked by itself without
  # being told, which keeps the mark only if each object has it; one that has none takes it away.
  "${prefix}ld" -r -S -z muldefs -z noexecstack -o "$folder/together.o" "$object" --whole-archive "$folder"/deps/*.rlib
  : | "${prefix}as" -o "$folder/unmarked.o" -
  "${prefix}ld" -r -o "$folder/mixed.o" "$folder/together.o" "$folder/unmarked.o"
  for file in "${object#"$folder"/}" together.o examples/qsort; do
    says "$file" || { echo "$file has no note: $note"; return 1; }
  done
  ! says mixed.o || { echo "the note says nothing: it is there with an unmarked object too"; return 1; }
  rm "$folder"/{together,mixed,unmarked}.o
  echo "$1: each object, std's too, and the program say: $note"
}
protect x86_64-unknown-linux-gnu "" \
  "-Zcf-protection=full -Clink-self-contained=-linker -Clink-arg=-fuse-ld=bfd" "IBT, SHSTK" ibt shstk
if have_target aarch64-unknown-linux-gnu && command -v aarch64-linux-gnu-gcc >/dev/null; then
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    protect aarch64-unknown-linux-gnu aarch64-linux-gnu- "-Zbranch-protection=bti" "feature: BTI" force-bti
fi
