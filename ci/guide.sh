#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The guide: its Rust as documentation tests, its links, and the book. Its C and C++ are built by ci/cxx.sh,
# its C# by ci/dotnet.sh, its C library by ci/libraries.sh, its vsomeip by ci/vsomeip.sh.
source "$(dirname "$0")/lib.sh"
need_debian git
cargo_test -p ringback-guide

version=0.5.4
mdbook=${XDG_CACHE_HOME:-$HOME/.cache}/ringback/mdbook-$version
if [ ! -x "$mdbook/bin/mdbook" ]; then
  echo "building mdbook $version once, into $mdbook: two minutes or so"
  cargo install --quiet --locked --no-default-features --root "$mdbook" --target-dir target/mdbook "mdbook@$version"
  rm -rf target/mdbook
fi
mkdir -p target
"$mdbook/bin/mdbook" build 2>&1 | tee target/mdbook.txt
! grep -qE 'ERROR|WARN' target/mdbook.txt || { echo "mdbook complains"; exit 1; }
# No page is empty.
for page in docs/*.md; do
  html=target/book/$(basename "$page" .md).html
  [ "$page" = docs/SUMMARY.md ] || [ -s "$html" ] || { echo "no $html"; exit 1; }
done
echo "the book: target/book/index.html, $(find target/book -name '*.html' | wc -l) pages"
