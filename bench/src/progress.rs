// SPDX-License-Identifier: MIT OR Apache-2.0

//! A bar on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps; hidden where standard error is not a terminal.
pub fn bar(suite: &str, steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let table = if cfg!(ringback_portable) { " (portable)" } else { "" };
    bar.set_prefix(format!("{suite}{table}"));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}
