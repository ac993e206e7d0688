#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The vsomeip transport, on the real library. Builds vsomeip into the user's cache where the machine
# has none (about 9 minutes of processor time, once).
#
#   ci/vsomeip.sh          everything
#   ci/vsomeip.sh --quick  without the sanitizer, the bench, the peer and the two hosts
source "$(dirname "$0")/lib.sh"
need_lints
folder=integrations/vsomeip
manifest=$folder/Cargo.toml
need_debian g++ pkg-config iproute2
need_python
pkg-config --exists 'vsomeip3 >= 3.4' 2>/dev/null || {
  need_debian cmake patch libboost-{system,thread,filesystem}-dev
  "$folder/native/build-vsomeip.sh"
}

cargo fmt --check --manifest-path "$manifest"
clippy --manifest-path "$manifest" --all-targets
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --manifest-path "$manifest" --no-deps
ci/vsomeip-api.sh
missing=$(git ls-files "$folder" | xargs grep -L 'SPDX-License-Identifier' |
  grep -vE '(Cargo\.lock|\.json|\.svg|/native/(cache-key|source-crate)|/LICENSE-(MIT|APACHE))$' || true) # REUSE.toml says it for these
[ -z "$missing" ] || { echo "without a licence header:"; echo "$missing"; exit 1; }
ci/sbom.sh

ci/deny.py "$folder"

cargo_test --manifest-path "$manifest" --lib --tests
cargo_test --manifest-path "$manifest" --doc

# A program that is copied elsewhere runs without any variable.
cargo build --quiet --manifest-path "$manifest" --examples
target=${CARGO_TARGET_DIR:-$PWD/$folder/target}
copy=$(mktemp -d)
cp "$target/debug/examples/telemetry" "$target"/debug/examples/{pooled,raw}_pointers \
  "$target"/debug/examples/minimal_{publisher,subscriber} "$copy"
(cd "$copy" && env -i ./telemetry --seconds 2 | tail -1 | tee result)
grep -q 'lost 0, out of order 0' "$copy/result"
(cd "$copy" && env -i ./pooled_pointers && env -i ./raw_pointers)
# What the guide's page shows.
(
  cd "$copy"
  env -i ./minimal_subscriber >heard &
  subscriber=$!
  trap 'kill $subscriber' EXIT
  sleep 1
  env -i ./minimal_publisher
  grep -q '^2000 rpm' heard
)
rm -r "$copy"
[ "${1:-}" = --quick ] && exit

# As ci/msrv.sh asks of the core crates.
if toolchain=$(oldest_rust); then
  oldest=$(mktemp -d)
  git ls-files -z "$folder" crates bindings Cargo.toml | xargs -0 cp --parents -Pt "$oldest"
  sed -i '/^\[.*dev-dependencies\]/,/^$/d' "$oldest/$manifest"
  (cd "$oldest/$folder" && check_oldest "$toolchain" --lib --target-dir "$target/oldest")
  rm -r "$oldest"
else
  not_here "the oldest Rust, which rustup could not get"
fi

# The bench compiles, and its figures are numbers only where all runs went through.
clippy --manifest-path "$folder/bench/Cargo.toml" --target-dir "$target" --all-targets
cargo_test --manifest-path "$folder/bench/Cargo.toml" --target-dir "$target"

ci/vsomeip-drop-in.sh
ci/vsomeip-interop.sh --built
code=0
ci/vsomeip-two-hosts.sh || code=$?
[ "$code" = 0 ] || [ "$code" = "$SKIPPED" ] || exit "$code"

# As a registry would give it: with all that its build needs, and nothing of this repository but the
# core crates, which it names by their versions.
core=()
for crate in ringback ringback-macros; do core+=(--config "patch.crates-io.$crate.path='$PWD/crates/$crate'"); done
rm -f "$target"/package/ringback-vsomeip-*.crate
cargo package --quiet --allow-dirty --no-verify --manifest-path "$manifest" --target-dir "$target" "${core[@]}" 2>&1 |
  { grep -v '^warning: ignoring test' || true; }
package=$(mktemp -d)
tar -xzf "$target"/package/ringback-vsomeip-*.crate -C "$package" --strip-components 1
for file in LICENSE-MIT LICENSE-APACHE README.md; do
  [ -s "$package/$file" ] || { echo "$file is not in the package"; exit 1; }
done
while read -r link; do
  [ -e "$package/$link" ] || { echo "README.md has a link that leads out of its package: $link"; exit 1; }
done < <(grep -oE '\]\([^)]*\)' "$package/README.md" | sed 's/^](//; s/[#)].*//' | grep -vE '://|^$')

# Found by pkg-config as well, as a Yocto image or /usr/local has it; with a sysroot, the headers come
# from there, and the library is looked for where the target machine will have it. No cache to fall
# back on. Tried with the package.
prefix=$("$folder/native/build-vsomeip.sh" --prefix)
if [ -e "$prefix/complete" ]; then
  hidden=$(mktemp -d)
  XDG_CACHE_HOME=$hidden PKG_CONFIG_PATH=$prefix/lib/pkgconfig \
    cargo_test --manifest-path "$manifest" --lib vsomeip::load
  mkdir -p "$hidden/root/usr/lib/pkgconfig"
  cp -r "$prefix/include" "$hidden/root/usr/"
  sed "s|^prefix=.*|prefix=/usr|; s|$prefix|/usr|g" "$prefix/lib/pkgconfig/vsomeip3.pc" >"$hidden/root/usr/lib/pkgconfig/vsomeip3.pc"
  XDG_CACHE_HOME=$hidden PKG_CONFIG_SYSROOT_DIR=$hidden/root PKG_CONFIG_LIBDIR=$hidden/root/usr/lib/pkgconfig \
    cargo check --quiet --message-format json --manifest-path "$package/Cargo.toml" --target-dir "$target" "${core[@]}" >"$hidden/messages"
  grep '"reason":"build-script-executed"' "$hidden/messages" | grep -qF '["RINGBACK_VSOMEIP_LIBRARIES","/usr/lib"]' ||
    { echo "with a sysroot, vsomeip is not looked for in the target's /usr/lib"; exit 1; }
  # Another header, or another installation: the crate is built again.
  output=$(sed -n '/RINGBACK_VSOMEIP_LIBRARIES/s|.*"out_dir":"\([^"]*\)/out".*|\1/output|p' "$hidden/messages")
  for watched in include/vsomeip/vsomeip.hpp lib/pkgconfig/vsomeip3.pc; do
    grep -q "^cargo::rerun-if-changed=$hidden/root/usr/$watched\$" "$output" ||
      { echo "the build script does not watch $watched"; exit 1; }
  done
  rm -r "$hidden"
fi
rm -r "$package"

# vsomeip itself is not instrumented; its allocations are watched all the same.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
  echo "address sanitizer"
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CXXFLAGS="-fsanitize=address -g" \
    cargo_test --manifest-path "$manifest" --target "$host" --target-dir "$target/asan" \
    --test configuration --test ending --test handlers --test listeners --test messages --test network \
    --test raw --test topics --test wire
fi
