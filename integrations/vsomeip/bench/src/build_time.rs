// SPDX-License-Identifier: MIT OR Apache-2.0

//! How long the transport crates alone take to build, release, with their dependencies there.

use crate::contestants::{peer_cargo, peer_target};
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
    forget(&target, &["ringback-vsomeip", "ringback", "ringback-macros"])?;
    timed(build())
}

/// Seconds for the peer's: the transport and its macro crate, without the crate that builds vsomeip.
pub fn peer() -> Option<f64> {
    let build = || {
        let mut command = peer_cargo();
        command.args(["-p", "up-transport-vsomeip"]);
        command
    };
    timed(build())?;
    forget(&peer_target(), &["up-transport-vsomeip", "vsomeip-proc-macro"])?;
    let seconds = timed(build())?;
    peer_cargo().status().ok()?; // the contestant again
    Some(seconds)
}

/// Makes cargo build these crates anew, and nothing else: `cargo clean -p` also removes what another
/// crate has of the name of one of their tests or examples, as `tracing`, and with it all that uses it.
fn forget(target: &Path, crates: &[&str]) -> Option<()> {
    for folder in [".fingerprint", "build"] {
        for entry in std::fs::read_dir(target.join("release").join(folder)).ok()?.flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            if name.rsplit_once('-').is_some_and(|(name, _)| crates.contains(&name)) {
                std::fs::remove_dir_all(entry.path()).ok()?;
            }
        }
    }
    Some(())
}

fn timed(mut command: Command) -> Option<f64> {
    let start = Instant::now();
    let status = command.status().ok()?;
    status.success().then(|| start.elapsed().as_secs_f64())
}
