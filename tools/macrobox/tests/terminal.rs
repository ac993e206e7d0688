// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a person sees on a terminal: the chart fits into it, and code has colours.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs the tool on a terminal of so many columns; what it printed there.
fn on_terminal(columns: u16, arguments: &[&str]) -> String {
    run(columns, arguments, false)
}

/// The same, with what it says on the way, if that is wanted.
fn run(columns: u16, arguments: &[&str], messages: bool) -> String {
    let (mut ours, mut theirs) = (0, 0);
    let size = libc::winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let (no_name, no_modes) = (std::ptr::null_mut(), std::ptr::null());
    // SAFETY: the C library writes two descriptors and reads the size.
    let opened = unsafe { libc::openpty(&mut ours, &mut theirs, no_name, no_modes, &size) };
    assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: both were opened above and belong to nobody else.
    let (mut ours, theirs) = unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"));
    command.args(arguments).arg("--manifest-path").arg(zoo).env_remove("NO_COLOR");
    command.env("TERM", "xterm").stdin(Stdio::null()).stderr(match messages {
        true => Stdio::from(theirs.try_clone().unwrap()),
        false => Stdio::null(),
    });
    command.stdout(theirs);
    let mut child = command.spawn().unwrap();
    drop(command); // with it, this process's other end of the terminal
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    // The terminal's end is an error for its reader.
    while let Ok(count @ 1..) = ours.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_chart_fits_into_the_terminal() {
    let sweep = ["profile", "generate!(1)", "-p", "zoo-gentle", "--sizes", "16,64,256,1024"];
    for columns in [60, 80, 120] {
        let shown = on_terminal(columns, &sweep);
        let longest = shown.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(longest <= usize::from(columns), "{columns} columns:\n{shown}");
        // The larger the longer, in a table with a bar on each line.
        let bars: Vec<usize> =
            shown.lines().map(|line| line.matches('█').count()).filter(|bar| *bar > 0).collect();
        assert!(bars.len() == 4 && bars[0] < bars[3], "{columns} columns:\n{shown}");
        assert!(shown.contains("output as size^1.00"), "{shown}");
    }
}

#[test]
fn code_is_coloured_on_a_terminal_only() {
    let call = ["expand", "small!(40 + 2)", "-p", "zoo-gentle"];
    let shown = on_terminal(80, &call);
    assert!(shown.contains("\x1b[35mpub\x1b[0m \x1b[35mfn\x1b[0m answer"), "{shown:?}");
    assert!(shown.contains("\x1b[32m40\x1b[0m + \x1b[32m2\x1b[0m"), "{shown:?}");
}

#[test]
fn long_work_shows_progress() {
    let shown = run(100, &["check", "-p", "zoo-real", "--runs", "3"], true);
    assert!(shown.contains("recording macro calls, by compiling"), "{shown:?}");
    assert!(shown.contains("calls watched") && shown.contains("/2 runs apart"), "{shown:?}");
}
