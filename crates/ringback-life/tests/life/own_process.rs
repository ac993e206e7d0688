// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs a test's body in a process of its own: the test program once more, for this test alone.

use std::process::{Command, Output};

const MARK: &str = "RINGBACK_LIFE";

/// `None` in that process, which is to run the body; elsewhere what became of it.
pub fn output(test: &str) -> Option<Output> {
    if std::env::var_os(MARK).is_some() {
        // SAFETY: no handler is installed; the process is killed if it hangs.
        unsafe { libc::alarm(120) };
        return None;
    }
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
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
    Some(command.output().expect("the test program runs once more"))
}

/// As [`output`], for a body that must end with success; true in the process that is to run it.
pub fn is_this(test: &str) -> bool {
    let Some(output) = output(test) else { return true };
    assert!(output.status.success(), "{test}: {output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "{test} is not the test's name: {text}");
    false
}

/// Waits for a forked child, which must end with success.
pub fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: `child` is a child of this process, and `status` is written to.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "the child failed or was killed");
}

/// Forks; the child runs `body`, and ends without running anything else of this program.
pub fn fork(body: impl FnOnce() + std::panic::UnwindSafe) -> libc::pid_t {
    // SAFETY: the child runs only code that is to be tested to be safe there.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    if child == 0 {
        // SAFETY: no handler is installed; the child is killed if it hangs.
        unsafe { libc::alarm(60) };
        let code = i32::from(std::panic::catch_unwind(body).is_err());
        // SAFETY: ends the process.
        unsafe { libc::_exit(code) };
    }
    child
}
