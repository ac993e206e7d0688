// SPDX-License-Identifier: MIT OR Apache-2.0

//! `debug` waits for a debugger, and goes on when one has come.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The child of `parent` that stays: one that was made ahead, for a boxed call, goes first.
fn child_of(parent: u32) -> i32 {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let start = Instant::now();
    loop {
        let children = std::fs::read_to_string(&path).unwrap_or_default();
        std::thread::sleep(Duration::from_secs(1));
        let later = std::fs::read_to_string(&path).unwrap_or_default();
        match children.trim().parse() {
            Ok(child) if children == later => return child,
            _ => {}
        }
        assert!(start.elapsed() < Duration::from_secs(300), "no child of {parent}");
    }
}

/// The process that the tool tells to attach to, once it has told it.
fn announced(tool: &mut Child) -> i32 {
    use std::io::BufRead;
    let stderr = tool.stderr.take().unwrap();
    let mut lines = std::io::BufReader::new(stderr).lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("waiting for a debugger")).unwrap();
    std::thread::spawn(move || lines.for_each(drop)); // so that the tool can go on printing
    let server = told.split("pgrep -P ").nth(1).unwrap();
    child_of(server.split(')').next().unwrap().parse().unwrap())
}

/// Lets the process go on as with a debugger, seized and not stopped.
fn attach(macro_process: i32) {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: a process of our own tree, which lives until it is answered; no memory is named.
    let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, macro_process, nothing, nothing) };
    assert_eq!(seized, 0, "{}", std::io::Error::last_os_error());
}

/// What `debug ..` prints once a debugger has come.
fn debugged(call: &[&str]) -> String {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"))
        .arg("debug")
        .args(call)
        .arg("--manifest-path")
        .arg(zoo)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let macro_process = announced(&mut tool);
    assert!(tool.try_wait().unwrap().is_none(), "it did not wait");
    attach(macro_process);
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn debug_waits_for_a_debugger_and_then_expands() {
    let printed = debugged(&["small!(40 + 2)", "--package", "zoo-gentle"]);
    assert_eq!(printed, "pub fn answer() -> i32 {\n    40 + 2\n}\n");
    let printed = debugged(&["--at", "real/src/lib.rs:88", "--package", "zoo-real"]);
    let laid_out = "// #[main] at real/src/lib.rs:88\npub fn start() -> i32 {\n";
    assert!(printed.starts_with(laid_out), "{printed}");
}

/// Without limits, a macro that closes its descriptors and stays is ended by its user.
#[test]
fn what_nobody_waits_for_any_more_ends() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"));
    tool.args(["debug", "lingers!()", "-p", "zoo-hostile", "--manifest-path"]).arg(zoo);
    let mut tool = tool.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let macro_process = announced(&mut tool);
    attach(macro_process);
    let open = || std::fs::read_dir(format!("/proc/{macro_process}/fd")).map_or(0, Iterator::count);
    let start = Instant::now();
    let wait_until = |what: &str, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(300), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_until("it closed nothing", &|| open() == 0);
    tool.kill().unwrap();
    tool.wait().unwrap();
    // Its debugger hears of the end, which is the server's doing.
    let ended = || {
        // SAFETY: writes nothing where there is no place for it.
        unsafe {
            libc::waitpid(macro_process, std::ptr::null_mut(), libc::WNOHANG) == macro_process
        }
    };
    wait_until("it lives on", &ended);
}
