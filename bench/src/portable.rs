// SPDX-License-Identifier: MIT OR Apache-2.0

//! The same suite with the portable table: the bench builds itself once more and runs itself.

use crate::Result;
use crate::figure::{Figure, parse_raw};
use std::path::PathBuf;
use std::process::Command;

/// True in the bench that was built for the portable table.
pub const BUILT: bool = cfg!(ringback_portable);

/// A folder for what suites build, beside the running program.
pub fn cache() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("the program is not in a target folder")?;
    Ok(target.join("ringback-bench"))
}

/// The command that builds things, the one that started us if it was cargo.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs the suite with the portable table.
pub fn figures(suite: &str) -> Result<Vec<Figure>> {
    let target = cache()?.join("portable");
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    let flags = format!("{given} --cfg ringback_portable");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    eprintln!("building the bench with the portable table ..");
    let built = cargo()
        .args(["build", "--quiet", "--release", "--manifest-path", manifest, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", &flags)
        .status()?;
    if !built.success() {
        return Err("the bench does not build with --cfg ringback_portable".into());
    }
    let program = target.join("release").join(env!("CARGO_BIN_NAME"));
    let output = Command::new(&program)
        .arg(suite)
        .env("RUSTFLAGS", &flags)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} {suite} failed: {}", program.display(), output.status).into());
    }
    let figures = parse_raw(&String::from_utf8(output.stdout)?)?;
    if figures.is_empty() {
        return Err(format!("{} {suite} printed no figures", program.display()).into());
    }
    Ok(figures.into_iter().map(Figure::portable).collect())
}
