#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Makes the NuGet package: pack.sh [FOLDER], by default target/csharp. The same sources and tools give
# the same bytes: no dates, no paths, a fixed order.
source "$(dirname "${BASH_SOURCE[0]}")/../../ci/lib.sh"
source bindings/csharp/dotnet.sh
[ "$host" = x86_64-unknown-linux-gnu ] || { echo "packs for linux-x64, this is $host"; exit 1; }
need_debian mono-mcs unzip zip
into=$(realpath -m "${1:-$target/csharp}")
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)

staged=$(mktemp -d)
trap 'rm -r "$staged"' EXIT
mkdir -p "$into" "$staged/_rels" "$staged/lib/netstandard2.1" "$staged/runtimes/linux-x64/native"
build_assembly "$staged/lib/netstandard2.1"
build_native "$staged/runtimes/linux-x64/native" ringback-dotnet
sed "s/@VERSION@/$version/" "$csharp/package/Ringback.nuspec" >"$staged/Ringback.nuspec"
cp "$csharp/package/content-types.xml" "$staged/[Content_Types].xml"
cp "$csharp/package/relationships.xml" "$staged/_rels/.rels"
sed '/^<!-- .* -->$/d' "$csharp/README.md" >"$staged/README.md" # without where its parts come from
for licence in LICENSE-MIT LICENSE-APACHE; do
  cp "$licence" "$staged/$licence.txt"
done

files=('[Content_Types].xml' _rels/.rels Ringback.nuspec README.md LICENSE-MIT.txt LICENSE-APACHE.txt
  lib/netstandard2.1/Ringback.dll lib/netstandard2.1/Ringback.xml
  runtimes/linux-x64/native/libringback_dotnet.so)
package=$into/Ringback.$version.nupkg
rm -f "$package"
(
  cd "$staged"
  export TZ=UTC
  chmod 644 "${files[@]}"
  touch -d '1980-01-01 00:00:00' "${files[@]}"
  printf '%s\n' "${files[@]}" | zip --quiet -X -D -9 "$package" -@
)
echo "$package"
