#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What the core crate may depend on: no parser library, no runtime, no C++. And with all features: only
# crates of crates.io, under licences that ask for nothing but a notice. And inside of it: what stands lower
# does not name what stands higher (ARCHITECTURE.md).
source "$(dirname "$0")/lib.sh"
need_python
tree=$(cargo tree -p ringback -e normal,build --prefix none --format '{p}' | awk '{print $1}' | sort -u)
allowed='^(ringback|ringback-macros|atomic-waker|libc)$'
unexpected=$(grep -vE "$allowed" <<<"$tree" || true)
[ -n "$tree" ] || { echo "cargo tree printed nothing"; exit 1; }
[ -z "$unexpected" ] || { echo "the core crate has grown dependencies:"; echo "$unexpected"; exit 1; }
echo "$tree"

licences='^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|Zlib|Unicode-3\.0|Unlicense|0BSD)$'
count=0
while IFS='|' read -r package licence; do
  count=$((count + 1))
  # Of all that are joined by AND, one alternative each.
  while read -r part; do
    tr -d '() ' <<<"${part// OR /$'\n'}" | tr / '\n' | grep -qE "$licences" ||
      { echo "$package: its licence is not among those that are allowed: $licence"; exit 1; }
  done <<<"${licence// AND /$'\n'}"
done < <(published | while read -r crate _; do
  cargo tree -p "$crate" --all-features --target all -e normal,build --prefix none --format '{p}|{l}'
done | sed 's/ (\*)$//' | sort -u)
[ "$count" -gt 1 ] || { echo "cargo tree printed nothing"; exit 1; }
foreign=$(git ls-files '*Cargo.lock' | xargs grep '^source' | grep -v '"registry+https://github.com/rust-lang/crates.io-index"' || true)
[ -z "$foreign" ] || { echo "not from crates.io:"; echo "$foreign"; exit 1; }
echo "with all features $count crates, each under a licence that is allowed, all from crates.io"

# Who may depend on whom, by folder (ARCHITECTURE.md): each line a folder and those that it may name. The first line
# that fits counts.
may=(
  "crates: crates"
  "bindings: bindings crates"
  "guide: bindings crates"
  "bench: crates"
  "examples/libraries: crates"
  "integrations: integrations crates"
  "tools/api: crates"
  "tools/macrobox/zoo: tools/macrobox/zoo crates"
  "tools/macrobox: tools/macrobox"
)
paths=0
while read -r from to; do
  paths=$((paths + 1))
  for line in "${may[@]}" "$from: -"; do
    [[ $from/ != "${line%%: *}"/* ]] || break
  done
  allowed=
  for folder in ${line#*: }; do [[ $to/ != "$folder"/* ]] || allowed=1; done
  [ -n "$allowed" ] || { echo "$from must not depend on $to (ARCHITECTURE.md, \"What may know what\")"; exit 1; }
done < <(git ls-files '*Cargo.toml' | while read -r manifest; do
  folder=$(dirname "$manifest")
  [ "$folder" != . ] || folder=crates # the workspace's own table
  { grep -oE '\bpath *= *"[^"]*"' "$manifest" || true; } | sed '/\.rs"$/d; s/.*"\(.*\)"/\1/' |
    while read -r path; do echo "$folder $(realpath --relative-to . "$(dirname "$manifest")/$path")"; done
done)
[ "$paths" -gt 10 ] || { echo "found only $paths paths between packages"; exit 1; }
echo "$paths dependencies between the repository's packages, each on what stands lower"

# named PATTERN FILE.. : each place where the code of these files (not their comments) has this.
named() {
  local pattern=$1 file
  shift
  for file in "$@"; do
    [ -f "$file" ] || { echo "$file: no such file"; continue; }
    sed 's,//.*,,' "$file" | tr '\n' ' ' | grep -oE "$pattern" | sed "s,^,$file: ," || true
  done
}
cd crates/ringback/src
lower=(slot spare record thread barrier free core process wait waiter thunk bare)
upper=$(cd inbound && for file in *; do echo "${file%.rs}"; done | sort -u |
  grep -vxE "$(IFS='|'; echo "${lower[*]}")|mod|model" | paste -sd'|')
[ -n "$upper" ] || { echo "inbound has no upper layer"; exit 1; }
# By a path, alone or in braces; or a public name from the crate's root.
below=$(named "\b(super|inbound)::(\{[^}]*)?\b($upper)\b|crate::[A-Z]\w*" $(printf 'inbound/%s.rs ' "${lower[@]}") inbound/slot/*.rs)
sideways=$(named '\boutbound\b' $(find inbound -name '*.rs'))
[ -z "$below$sideways" ] || { echo "names what stands higher:"; echo "$below$sideways"; exit 1; }
echo "inbound: slot to core name nothing of ${upper//|/, }; none names outbound"
