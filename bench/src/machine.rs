// SPDX-License-Identifier: MIT OR Apache-2.0

//! Where the figures were taken, and against what.

use crate::Result;
use std::fs;

const LOCKFILE: &str = include_str!("../Cargo.lock");

/// The machine and the compilers, a line each.
pub fn here() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    let kernel = kernel.map_or_else(|_| std::env::consts::OS.to_owned(), |text| text.trim().into());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown");
    let (rustc, cc) = (env!("BENCH_RUSTC_VERSION"), env!("BENCH_CC_VERSION"));
    Ok(format!(
        "machine   {model}, {cores} cores, kernel {kernel}, load {load}\ncompiler  {rustc}; {cc}\n"
    ))
}

/// Prints [`here`], and the versions of `peers` from the lockfile.
pub fn print(peers: &[&str]) -> Result<()> {
    print!("{}", here()?);
    let peers: Vec<String> = peers
        .iter()
        .map(|peer| match version(peer) {
            Some(version) => Ok(format!("{peer} {version}")),
            None => Err(format!("peer {peer} is not in bench/Cargo.lock")),
        })
        .collect::<std::result::Result<_, _>>()?;
    println!("peers     {}", if peers.is_empty() { "none".into() } else { peers.join(", ") });
    println!();
    Ok(())
}

/// The version of a package in the lockfile.
fn version(package: &str) -> Option<&'static str> {
    let mut lines = LOCKFILE.lines();
    let name = format!("name = \"{package}\"");
    lines.find(|line| *line == name)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}
