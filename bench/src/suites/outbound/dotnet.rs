// SPDX-License-Identifier: MIT OR Apache-2.0

//! The .NET side measures itself: its bench script prints a line for each figure.

use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::AtMost;
use crate::measure::Spread;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bindings/csharp/bench.sh");

/// The figures, and the rows that explain them.
pub fn figures() -> Result<(Vec<Figure>, Vec<Figure>)> {
    let output = Command::new(SCRIPT)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{SCRIPT}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{SCRIPT} failed: {}", output.status).into());
    }
    let output = String::from_utf8(output.stdout)?;
    // `NAME MEDIAN LOW HIGH`
    let spread = |name: &str| -> Result<Spread> {
        let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let line = line.ok_or_else(|| format!("{SCRIPT} did not print {name}"))?;
        let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [median, low, high] = numbers[..] else {
            return Err(format!("not `NAME MEDIAN LOW HIGH`: {line}").into());
        };
        Ok(Spread { median, low, high })
    };
    let meaning = "times the bare unmanaged pointer of the same delegate";
    let leaked = ["leaked_handles_coreclr", "leaked_handles_mono"]
        .map(spread)
        .into_iter()
        .try_fold(0.0, |sum, leaked| leaked.map(|leaked| sum + leaked.median))?;
    let figures = vec![
        Figure::new("coreclr_over_raw", spread("coreclr_over_raw")?, AtMost(1.35), meaning),
        Figure::new("mono_over_raw", spread("mono_over_raw")?, AtMost(1.35), meaning),
        Figure::new(
            "leaked_handles",
            Spread::of(&[leaked]),
            AtMost(0.0),
            "after 1,000,000 registrations with GC.Collect in between, CoreCLR and Mono",
        ),
    ];
    let rows = [
        ("  Callback of a C# delegate, CoreCLR", "coreclr_callback_ns"),
        ("  bare pointer of it, CoreCLR", "coreclr_raw_ns"),
        ("  Callback of a C# delegate, Mono", "mono_callback_ns"),
        ("  bare pointer of it, Mono", "mono_raw_ns"),
    ];
    let rows = rows.map(|(row, name)| Ok(Figure::plain(row, spread(name)?, "ns per call")));
    Ok((figures, rows.into_iter().collect::<Result<_>>()?))
}
