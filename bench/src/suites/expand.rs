// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an isolated macro expansion costs, and whether it is the compiler's.
//!
//! The expander is a workspace of its own with a bench of its own, which prints the figures itself.

use super::Suite;
use crate::Result;
use crate::figure::Figure;
use std::process::Command;

pub const SUITE: Suite = Suite { name: "expand", peers: &[], portable: false, run };

fn run() -> Result<Vec<Figure>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/macrobox/bench/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--quiet", "--manifest-path", manifest, "--", "expand"]);
    match command.status()?.success() {
        true => Ok(Vec::new()),
        false => Err("the expander's own bench failed, see above".into()),
    }
}
