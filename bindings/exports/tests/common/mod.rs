// SPDX-License-Identifier: MIT OR Apache-2.0

//! The crate under test, built and expanded.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Its folder.
pub fn native() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../native").canonicalize().unwrap()
}

/// Runs a command and answers its standard output; fails with all it said.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
