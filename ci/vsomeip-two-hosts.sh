#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Two hosts as two network namespaces: publish, notify and RPC across, found by service discovery; the
# link is cut for ten seconds, and then one host's programs are restarted: traffic must come back by
# itself. Part of ci/vsomeip.sh.
source "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
need_debian iproute2
work=$PWD/integrations/vsomeip
target=${CARGO_TARGET_DIR:-$work/target}
cargo build --quiet --manifest-path "$work/Cargo.toml" --examples
programs=$target/debug/examples
log=$(mktemp -d)
a=rb-a-$$ b=rb-b-$$
children=()
cleanup() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
  rm -f /tmp/two-hosts-[ab]-*
}
trap cleanup EXIT

ip netns add "$a" 2>/dev/null || skip "this machine gives no network namespaces"
ip netns add "$b"
ip netns exec "$a" true 2>/dev/null || skip "this machine enters no network namespaces: is / a mount of its own?"
ip link add "va$$" netns "$a" type veth peer name "vb$$" netns "$b" || skip "no veth pairs here"
ip netns exec "$a" ip address add 10.55.0.1/24 dev "va$$"
ip netns exec "$b" ip address add 10.55.0.2/24 dev "vb$$"
for end in "$a va$$" "$b vb$$"; do
  read -r host link <<<"$end"
  ip netns exec "$host" ip link set lo up
  ip netns exec "$host" ip link set "$link" up
  ip netns exec "$host" ip route add 224.0.0.0/4 dev "$link"
done

# on HOST PROGRAM ARG.. : in the background, output in its own file
on() {
  local host=$1 which=$2 file
  shift 2
  file=$([ "$host" = "$a" ] && echo host_a || echo host_b)
  ip netns exec "$host" stdbuf -oL "$programs/$which" --config "$work/examples/configurations/$file.json" "$@" \
    >"$log/$which" 2>"$log/$which.err" &
  children+=($!)
}
lines() { grep -c "$2" "$log/$1" || true; }
# expect WHAT PROGRAM PATTERN COUNT: so many lines within thirty seconds
expect() {
  local start=$SECONDS
  until [ "$(lines "$2" "$3")" -ge "$4" ]; do
    if [ $((SECONDS - start)) -gt 30 ]; then
      echo "FAILED: $1: $(lines "$2" "$3") of $4"
      tail -5 "$log"/*
      exit 1
    fi
    sleep 0.2
  done
  echo "$1: after $((SECONDS - start)) s"
}

# flows WHEN: twenty more of each arrive on the other host
flows() {
  local heard noted called
  heard=$(lines hello_subscriber '^hello') noted=$(lines hello_subscriber '^note')
  called=$(lines rpc_client '^CALL')
  expect "20 greetings to everybody, $1" hello_subscriber '^hello' $((heard + 20))
  expect "20 notes to one uEntity, $1" hello_subscriber '^note' $((noted + 20))
  expect "20 calls answered, $1" rpc_client '^CALL' $((called + 20))
}
alive() {
  for child in "${children[@]}"; do
    kill -0 "$child" 2>/dev/null || { echo "a program died"; tail -5 "$log"/*; exit 1; }
  done
}
in_order() {
  grep "^$1" "$log/hello_subscriber" | sort -t' ' -k2 -n -c || { echo "out of order: $1"; exit 1; }
}

# The first one of a host is its routing manager, which reaches subscribers on other machines by other
# ways than the rest: both are tried.
on "$a" hello_publisher
sleep 1
on "$a" rpc_server
on "$b" hello_subscriber
on "$b" rpc_client
flows "across hosts"

echo "cutting the link for 10 s"
ip netns exec "$a" ip link set "va$$" down
sleep 10
ip netns exec "$a" ip link set "va$$" up
ip netns exec "$a" ip route replace 224.0.0.0/4 dev "va$$"
flows "after the cut"
alive
in_order hello
in_order note

kill "${children[@]:0:2}"
wait "${children[@]:0:2}" 2>/dev/null || true
children=("${children[@]:2}")
on "$a" rpc_server
sleep 1
on "$a" hello_publisher
flows "after a restart"
alive
echo "two hosts: traffic came back by itself, in order"
rm -rf "$log"
