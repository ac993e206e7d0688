//! The .NET side measures itself: its bench script prints `name value` lines.

use crate::Result;
use crate::figure::Figure;
use crate::figure::Limit::{AtMost, None as Printed};
use crate::measure::Spread;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bindings/csharp/bench.sh");

pub fn figures() -> Result<Vec<Figure>> {
    let output = Command::new(SCRIPT)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{SCRIPT}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{SCRIPT} failed: {}", output.status).into());
    }
    let output = String::from_utf8(output.stdout)?;
    let value = |name: &str| -> Result<f64> {
        let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.ok_or_else(|| format!("{SCRIPT} did not print {name}"))?.trim().parse()?)
    };
    let once = |name: &str| value(name).map(|value| Spread::of(&[value]));
    let meaning = "times the bare unmanaged pointer of the same delegate";
    let leaked = value("leaked_handles_coreclr")? + value("leaked_handles_mono")?;
    Ok(vec![
        Figure::new("coreclr_over_raw", once("coreclr_over_raw")?, AtMost(1.35), meaning),
        Figure::new("mono_over_raw", once("mono_over_raw")?, Printed, meaning),
        Figure::new(
            "leaked_handles",
            Spread::of(&[leaked]),
            AtMost(0.0),
            "after 1,000,000 registrations with GC.Collect in between, CoreCLR and Mono",
        ),
    ])
}
