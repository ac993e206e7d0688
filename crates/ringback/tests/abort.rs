//! `on_panic = abort`. A file of its own, since it starts its own program anew, which the filters of
//! other files would forbid.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

use ringback::callback_pool;

callback_pool! { static ABORTS: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; on_panic = abort; }

#[test]
fn abort_ends_the_process() {
    if std::env::var_os("RINGBACK_TEST_ABORT").is_some() {
        let r = ABORTS.register(|_| panic!("provoked")).unwrap();
        (r.as_fn())(1);
        unreachable!("it went on");
    }
    use std::os::unix::process::ExitStatusExt;
    let program = std::env::current_exe().unwrap();
    let mut command = match std::env::var("RINGBACK_RUNNER") {
        // An emulator for a program of another architecture, with its arguments.
        Ok(runner) => {
            let mut words = runner.split_whitespace();
            let mut command = std::process::Command::new(words.next().unwrap());
            command.args(words).arg(program);
            command
        }
        Err(_) => std::process::Command::new(program),
    };
    let status = command
        .args(["--exact", "abort_ends_the_process", "--nocapture"])
        .env("RINGBACK_TEST_ABORT", "1")
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
}
