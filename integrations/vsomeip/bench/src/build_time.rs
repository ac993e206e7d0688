// SPDX-License-Identifier: MIT OR Apache-2.0

//! How long the transport crates alone take to build, release, with their dependencies there.

use crate::contestants::{peer_cargo, peer_folder, peer_target};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Seconds for ours: the transport, its glue, and the core crate.
pub fn ours() -> Option<f64> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
    };
    let build = || {
        let mut command = Command::new("cargo");
        command.args([
            "build",
            "--release",
            "--quiet",
            "-p",
            "ringback-vsomeip",
            "--manifest-path",
        ]);
        command.arg(&manifest).env("CARGO_TARGET_DIR", &target);
        command
    };
    // Alone it may want its dependencies with other features than the bench does: built before.
    timed(build())?;
    clean(&manifest, &target, &["ringback-vsomeip", "ringback", "ringback-macros"])?;
    timed(build())
}

/// Seconds for the peer's: the transport and its macro crate, without the crate that builds vsomeip.
pub fn peer() -> Option<f64> {
    let manifest = peer_folder().join("Cargo.toml");
    let build = || {
        let mut command = peer_cargo();
        command.args(["-p", "up-transport-vsomeip"]);
        command
    };
    timed(build())?;
    clean(&manifest, &peer_target(), &["up-transport-vsomeip", "vsomeip-proc-macro"])?;
    let seconds = timed(build())?;
    peer_cargo().status().ok()?; // the contestant again
    Some(seconds)
}

fn clean(manifest: &Path, target: &Path, crates: &[&str]) -> Option<()> {
    let mut command = Command::new("cargo");
    command.args(["clean", "--release", "--quiet", "--manifest-path"]);
    command.arg(manifest).env("CARGO_TARGET_DIR", target);
    for name in crates {
        command.args(["-p", name]);
    }
    command.status().ok()?.success().then_some(())
}

fn timed(mut command: Command) -> Option<f64> {
    let start = Instant::now();
    let status = command.status().ok()?;
    status.success().then(|| start.elapsed().as_secs_f64())
}
