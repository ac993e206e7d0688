#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The published crates as users get them: what a registry wants to know is complete, each is packed and
# built from what was packed, and a program that has nothing else of ringback uses them.
source "$(dirname "$0")/lib.sh"
need_python
target=${CARGO_TARGET_DIR:-$PWD/target}/package
largest=100000 # bytes: no data of tests

mapfile -t crates < <(published | cut -d" " -f1)
[ ${#crates[@]} -gt 0 ] || { echo "no crate is published"; exit 1; }

cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    missing = [key for key in ("description", "license", "readme", "keywords", "categories", "rust_version")
               if not package[key]]
    if package["publish"] is None and missing:
        sys.exit(package["name"] + ": not in its Cargo.toml: " + ", ".join(missing))'
grep -q '^repository = ' Cargo.toml ||
  echo "for a release: no crate names a repository, since the project has no public address yet"

# Builds each from its package, against a registry of the others' packages.
rm -rf "$target/package"
cargo package --quiet --allow-dirty --all-features --target-dir "$target" "${crates[@]/#/--package=}"
for crate in "${crates[@]}"; do
  packages=("$target/package/$crate"-[0-9]*.crate)
  [ -f "${packages[0]}" ] || { echo "$crate: was not packed"; exit 1; }
  content=$(tar -tvzf "${packages[0]}")
  for file in LICENSE-MIT LICENSE-APACHE README.md Cargo.toml src/lib.rs; do
    grep -q "^-.*/$file\$" <<<"$content" || { echo "$crate: $file is not in its package"; exit 1; }
  done
  # A registry shows the page without the repository around it.
  astray=$(tar -xOzf "${packages[0]}" --wildcards "$crate-*/README.md" |
    grep -oE '\]\([^)]*\)|^\[[^]]*\]: *\S+|(src|href)="[^"]*"' | grep -vE '^[^#]*://|\]\(#' || true)
  [ -z "$astray" ] || { echo "$crate: its README.md has links that a registry cannot follow:" "$astray"; exit 1; }
  large=$(awk -v largest="$largest" '$3 > largest { print $3, $6 }' <<<"$content")
  [ -z "$large" ] || { echo "$crate: too large for a package: $large"; exit 1; }
  echo "$crate: $(wc -l <<<"$content") files, $(du -k "${packages[0]}" | cut -f1) KiB packed"
done

# In a folder of its own, so that no workspace is found above it.
user=$(mktemp -d)
trap 'rm -rf "$user"' EXIT
mkdir "$user/src"
{
  printf '[package]\nname = "user"\nedition = "2024"\n[dependencies]\nringback = { version = "*", features = ["hook", "tokio", "tracing"] }\n'
  printf 'ringback-c = "*"\n[patch.crates-io]\n'
  for crate in "${crates[@]}"; do
    folders=("$target/package/$crate"-[0-9]*/)
    echo "$crate = { path = '${folders[0]%/}' }"
  done
} >"$user/Cargo.toml"
cat >"$user/src/main.rs" <<'PROGRAM'
use std::ffi::{c_int, c_void};

ringback::callback_pool! {
    static COMPARE: Pool<unsafe extern "C" fn(a: *const c_void, b: *const c_void) -> c_int, 8>;
    fallback = 0;
}
ringback::callback_type!(pub struct OnDoor: fn(open: bool) -> i32);

#[ringback::hook]
async fn length(text: &str) -> usize {
    text.len()
}

unsafe extern "C" {
    fn qsort(base: *mut c_void, count: usize, size: usize, compare: unsafe extern "C" fn(*const c_void, *const c_void) -> c_int);
}

fn main() {
    let mut values = [3, 1, 2];
    // SAFETY: qsort passes pointers to elements of the array, which are i32.
    let descending = |a: *const c_void, b: *const c_void| unsafe { *b.cast::<i32>() - *a.cast::<i32>() };
    let registration = COMPARE.register(descending).unwrap();
    // SAFETY: the array has three elements of four bytes, and the comparator is alive.
    unsafe { qsort(values.as_mut_ptr().cast(), 3, 4, registration.as_fn()) };
    registration.unregister().unwrap();
    assert_eq!(values, [3, 2, 1]);

    let door = OnDoor::new(|open| i32::from(open)).adopt().unwrap();
    assert_eq!(door.call(true), Ok(1));
    assert_eq!(ringback::abi::VERSION, ringback_c::rb_abi_version());

    let future: std::pin::Pin<Box<dyn Future<Output = usize> + Send + '_>> = length("four");
    drop(future);
    println!("used from its packages: pool, callback, hook and the C functions");
}
PROGRAM
(cd "$user" && cargo run --quiet --target-dir "$target") | tee "$user/said"
grep -q '^used from its packages' "$user/said"
