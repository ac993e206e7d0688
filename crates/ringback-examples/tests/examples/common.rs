// SPDX-License-Identifier: MIT OR Apache-2.0

//! Starts the examples of this package.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What no run comes near; an example that hangs is stopped then.
const WATCHDOG: Duration = Duration::from_secs(600);

/// Builds an example the way this test was built. `cargo test --tests` alone would leave it out.
pub(crate) fn build(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    // <target directory>/[<triple>/]<profile>/deps/<test>
    let folder = test.ancestors().nth(2).expect("the profile's folder");
    let above = folder.parent().expect("the target directory");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--profile", profile, "--example", name]);
    cargo.args(["--package", env!("CARGO_PKG_NAME")]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if above.ends_with(env!("TRIPLE")) {
        cargo.args(["--target", env!("TRIPLE"), "--target-dir"]).arg(above.join(".."));
    } else {
        cargo.arg("--target-dir").arg(above);
    }
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "the example {name} does not build: {cargo:?}");
    folder.join("examples").join(name)
}

/// Runs a program to its end. What it writes must fit into a pipe.
pub(crate) fn run(program: &mut Command) -> Output {
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let start = Instant::now();
    while child.try_wait().expect("a child can be waited for").is_none() {
        if start.elapsed() > WATCHDOG {
            child.kill().expect("a child can be killed");
            panic!("{program:?} hangs");
        }
        sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output can be read")
}

/// What it wrote to the standard output.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it wrote to the standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks that it ended with this code, and one line that says this.
pub(crate) fn assert_refused(output: &Output, code: i32, remedy: &str) {
    let errors = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains(remedy), "{errors}");
    assert!(output.stdout.is_empty());
}
