// SPDX-License-Identifier: MIT OR Apache-2.0

//! The test program once more, in a process of its own.

use std::process::Command;

/// To run this one test, with `mark` set in its environment.
pub fn again(test: &str, mark: &str) -> Command {
    let program = std::env::current_exe().expect("a test program has a path");
    let mut command = match std::env::var("RINGBACK_RUNNER") {
        // An emulator for a program of another architecture, with its arguments.
        Ok(runner) => {
            let mut words = runner.split_whitespace();
            let mut command = Command::new(words.next().expect("a runner is a program"));
            command.args(words).arg(program);
            command
        }
        Err(_) => Command::new(program),
    };
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(mark, "1");
    command
}
