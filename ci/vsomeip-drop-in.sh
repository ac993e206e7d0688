#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The tests and examples of the crate up-transport-vsomeip, unmodified, against ringback-vsomeip: the
# dependency is renamed and nothing else. Part of ci/vsomeip.sh.
source "$(dirname "$0")/lib.sh"
ours=$PWD/integrations/vsomeip
target=${CARGO_TARGET_DIR:-$ours/target}
folder=$target/drop-in
rm -rf "$folder/package" && mkdir -p "$folder/fetch/src" "$folder/package/src" "$folder/protos/src"

# cargo fetches the peer's crate, as a dependency that is never built.
cat >"$folder/fetch/Cargo.toml" <<MANIFEST
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[dependencies]
up-transport-vsomeip = "=0.6.0"
[workspace]
MANIFEST
: >"$folder/fetch/src/lib.rs"
peer=$(cargo metadata --format-version 1 --manifest-path "$folder/fetch/Cargo.toml" |
  grep -o '"manifest_path":"[^"]*up-transport-vsomeip-0[^"]*"' | head -1 | cut -d'"' -f4 | xargs dirname)
cp -r "$peer/tests" "$peer/examples" "$peer/vsomeip_configs" "$folder/package/"
for source in "$peer"/tests/*.rs "$peer"/examples/*.rs; do
  cmp -s "$source" "$folder/package/${source#"$peer"/}" || { echo "modified: $source"; exit 1; }
done

# The examples' messages are in a crate of the peer's repository that was never published.
cat >"$folder/protos/Cargo.toml" <<MANIFEST
[package]
name = "hello-world-protos"
version = "0.0.0"
edition = "2021"
[dependencies]
protobuf = "3.7.2"
[build-dependencies]
protobuf-codegen = "3.7.2"
MANIFEST
cat >"$folder/protos/hello_world_service.proto" <<PROTO
syntax = "proto3";
package example.hello_world.v1;
message HelloRequest { string name = 1; }
message HelloResponse { string message = 1; }
PROTO
cat >"$folder/protos/build.rs" <<RUST
fn main() {
    protobuf_codegen::Codegen::new()
        .pure()
        .includes(["."])
        .input("hello_world_service.proto")
        .cargo_out_dir("protos")
        .run_from_script();
}
RUST
echo 'include!(concat!(env!("OUT_DIR"), "/protos/mod.rs"));' >"$folder/protos/src/lib.rs"

cat >"$folder/package/Cargo.toml" <<MANIFEST
[package]
name = "drop-in"
version = "0.0.0"
edition = "2021"
[dependencies]
up-transport-vsomeip = { package = "ringback-vsomeip", path = "$ours", default-features = false, features = ["bundled"] }
serde = "1"
up-rust = "0.9.0"
[dev-dependencies]
async-trait = "0.1"
env_logger = { version = "0.11.3", default-features = false }
hello-world-protos = { path = "../protos" }
log = "0.4"
protobuf = { version = "3.7.2", default-features = false }
tokio = { version = "1.45", features = ["rt-multi-thread", "macros", "sync", "time"] }
[profile.dev]
debug = "line-tables-only"
[workspace]
MANIFEST
# What the peer's lib.rs publishes, each item with its type; its tests and examples do not use all of it.
cat >"$folder/package/src/lib.rs" <<'RUST'
use std::{fmt::Debug, path::Path};
use up_rust::{LocalUriProvider, UStatus, UTransport, UUID, UUri};
use up_transport_vsomeip::*;

type Opened = Result<UPTransportVsomeip, UStatus>;
pub const OPEN: fn(UUri, &String, &Path, Option<RuntimeConfig>) -> Opened = UPTransportVsomeip::new_with_config;
pub const NEW: fn(VsomeipApplicationConfig, UUri, &String, Option<RuntimeConfig>) -> Opened = UPTransportVsomeip::new;
pub const NAME: fn(&str, u16) -> VsomeipApplicationConfig = VsomeipApplicationConfig::new;

fn config<T: Clone + Debug + serde::Serialize + serde::de::DeserializeOwned>() {}
fn transport<T: UTransport + LocalUriProvider + Send + Sync + 'static>() {}
pub const TRAITS: [fn(); 2] = [config::<VsomeipApplicationConfig>, transport::<UPTransportVsomeip>];

type Peers = (AuthorityName, ApplicationName, UeId, ClientId, UProtocolReqId, SomeIpRequestId);
type PeersIds = (SessionId, ServiceId, InstanceId, MethodId, EventId);
pub const fn aliases(of: (Peers, PeersIds)) -> ((String, String, u32, u16, UUID, u32), (u16, u16, u16, u16, u16)) {
    of
}
RUST

# With our versions of what it needs, most of that is built already.
cp "$ours/Cargo.lock" "$folder/package/"
export CARGO_TARGET_DIR=$target
cd "$folder/package"
cargo build --quiet --examples
cargo test --quiet --no-run
echo "the peer's tests and examples build unmodified, and all it publishes is there"

# Two of its tests register filters that the specification forbids (an ordinary resource id as a topic,
# a method as the source of a request) and want that to succeed; it must be INVALID_ARGUMENT.
forbidden=(--skip test_registering_unregistering_publish --skip test_registering_unregistering_request)
timeout 300 cargo test --quiet -- --test-threads 1 "${forbidden[@]}" >"$folder/log" 2>&1 || { tail -40 "$folder/log"; exit 1; }
passed=$(grep -c '^test result: ok\. [1-9]' "$folder/log")
[ "$passed" -ge 4 ] || { echo "only $passed of the peer's test programs ran"; exit 1; }
echo "$passed of the peer's test programs pass; not run, since up-spec forbids their filters: ${forbidden[*]//--skip/}"
