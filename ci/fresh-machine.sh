#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The release check: the README's two commands on a machine that has Rust, git and a C++ compiler, and
# nothing else: a new Debian in a folder, with a home of its own. Prints how long each command took.
# Needs root on Debian, the network, and some 12 GB; takes as long as all tests from nothing.
#
#   ci/fresh-machine.sh              in /var/tmp/ringback-fresh, which is deleted at the end
#   ci/fresh-machine.sh CHECK..      with only these checks of ci/test.sh
source "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { echo "failed: makes a Debian in a folder, and must be run as root"; exit 1; }
need_debian debootstrap curl
root=${RINGBACK_FRESH:-/var/tmp/ringback-fresh}
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
[ ! -e "$root" ] || { echo "failed: $root is there already: delete it, or name another by RINGBACK_FRESH"; exit 1; }
mkdir -p "$root"
trap 'rm -rf --one-file-system "$root"' EXIT

echo "fresh machine: Debian $release with git and g++ in $root"
debootstrap --variant=minbase --include=ca-certificates,curl,git,g++ "$release" "$root" \
  http://deb.debian.org/debian >"$root.log" || { tail -5 "$root.log"; exit 1; }
# What this machine knows of its network.
cp /etc/resolv.conf "$root/etc"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
rm -f "$root/etc/apt/sources.list"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt"
git clone --quiet . "$root/root/ringback"

# inside COMMAND : in that Debian, with processes and mounts that end with the command.
# Its root is a mount of its own, as `ip netns` wants it.
inside() {
  local variables=(HOME=/root PATH=/root/.cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
  for name in SSL_CERT_FILE PIP_CERT CI; do
    [ -z "${!name:-}" ] || variables+=("$name=${!name}")
  done
  # shellcheck disable=SC2016
  unshare --mount --pid --fork bash -c '
    mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" &&
      mount -t tmpfs tmpfs "$1/run" && exec chroot "$1" env -i "${@:3}" bash -c "cd /root/ringback 2>/dev/null; $2"
  ' bash "$root" "$1" "${variables[@]}"
}

echo "fresh machine: Rust, by rustup"
inside "curl -sSfo /tmp/rustup-init https://static.rust-lang.org/rustup/dist/$host/rustup-init &&
  chmod +x /tmp/rustup-init && cd /root && /tmp/rustup-init -qy --profile minimal >/dev/null 2>&1 && rustc -V"

report=()
timed() {
  echo "fresh machine: $1"
  local start=$SECONDS code=0
  inside "$1" || code=$?
  report+=("$(printf '%6d s  code %d  %s' $((SECONDS - start)) "$code" "$1")")
  [ "$code" = 0 ] || failed=1
}
failed=0
timed "cargo run --release --example vehicle_bus"
timed "ci/test.sh${*:+ $*}"
echo "fresh machine: $(inside 'rustc -V'), Debian $release, $(nproc) cores, $(uname -m)"
printf '%s\n' "${report[@]}"
exit "$failed"
