// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ctrl-C leaves no process and no scratch folder behind, and a kill no process.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Processes whose environment names `folder`, this one apart.
fn living(folder: &Path) -> Vec<String> {
    let mark = folder.as_os_str().as_encoded_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let has_mark = |path: &Path| {
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|window| window == mark)
    };
    processes
        .filter(|entry| has_mark(&entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Waits for `done`; the watchdog of what may hang.
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(300), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_interrupted_expansion_leaves_nothing() {
    let left = interrupt(&[], "(server)");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_interrupted_expansion_ends_the_toolchain_s_server() {
    let left = interrupt(&["--server", "toolchain"], "(rust-analyzer-p)");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_ends_the_tool_s_whole_group_leaves_nothing() {
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let left = interrupt_by(&[], "(server)", |tool| {
            let group = libc::pid_t::try_from(tool.id()).unwrap();
            // SAFETY: the tool leads this group and is not reaped yet, so the number is its own.
            assert_eq!(unsafe { libc::kill(-group, signal) }, 0);
            ended_by(tool, signal);
        });
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn an_interrupted_recording_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/hostile");
    let manifest = format!(
        "[package]\nname = \"endless\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
         [dependencies]\nzoo-hostile = {{ path = {hostile:?} }}\n"
    );
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("lib.rs"), "zoo_hostile::endless!();").unwrap();
    let target = folder.path().join("target");
    let recorded = target.join("macrobox/recorded");
    let end_while_recording = |signal| {
        let mut tool = tool(&["expand", "--macro", "*"]);
        let mut tool =
            tool.current_dir(folder.path()).env("CARGO_TARGET_DIR", &target).spawn().unwrap();
        // The compiler that the endless macro runs in is told where to write what it sees.
        wait_until("nothing was recorded", || !living(&recorded.join("")).is_empty());
        assert!(recorded.exists());
        end(&mut tool, signal);
        wait_until("a process lives on", || living(&target).is_empty());
    };
    // Killed, it cannot remove the folder: the next recording begins with that.
    end_while_recording(libc::SIGKILL);
    std::fs::write(recorded.join("left.tap"), "no record").unwrap();
    end_while_recording(libc::SIGINT);
    assert!(!recorded.exists());
}

#[test]
fn the_next_run_removes_what_a_killed_one_left() {
    let temporary = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let path = temporary.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("file"), "").unwrap();
        let folder = std::fs::File::open(&path).unwrap();
        folder.set_modified(std::time::SystemTime::now() - Duration::from_secs(600)).unwrap();
        path
    };
    let foreign = made("macrobox-notes");
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    for server in ["own", "toolchain"] {
        let left = made("macrobox-scratch-aaaaaa");
        let mut tool = tool(&["expand", "echo!(a)", "--package", "zoo-gentle", "--server", server]);
        tool.arg("--manifest-path").arg(&zoo).env("TMPDIR", temporary.path());
        let ended = tool.status().unwrap();
        assert!(ended.success() && !left.exists() && foreign.exists(), "{server}");
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    }
}

fn tool(arguments: &[&str]) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"));
    tool.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    // What runs in a shell's background, or under nohup, was started with signals ignored, and that is
    // inherited.
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        tool.pre_exec(|| {
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
    tool
}

/// Sends `signal` to the tool alone, which ends by it.
fn end(tool: &mut Child, signal: i32) {
    let id = libc::pid_t::try_from(tool.id()).unwrap();
    // SAFETY: the tool is not reaped yet, so the number is its own.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
    ended_by(tool, signal);
}

fn ended_by(tool: &mut Child, signal: i32) {
    let start = Instant::now();
    let status = loop {
        if let Some(status) = tool.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "signal {signal} did not end it");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.signal(), Some(signal));
}

/// Interrupts an endless expansion, by `more` arguments, once it runs in a process of that `name`.
/// What is left in the temporary folder, when no process is.
fn interrupt(more: &[&str], name: &str) -> Vec<std::ffi::OsString> {
    interrupt_by(more, name, |tool| end(tool, libc::SIGINT))
}

fn interrupt_by(more: &[&str], name: &str, by: impl Fn(&mut Child)) -> Vec<std::ffi::OsString> {
    let temporary = tempfile::tempdir().unwrap();
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut tool =
        tool(&["expand", "endless!()", "--package", "zoo-hostile", "--timeout", "600000"]);
    tool.arg("--manifest-path").arg(zoo).args(more).env("TMPDIR", temporary.path());
    let mut tool = tool.process_group(0).spawn().unwrap();
    // The endless macro's process is the one that uses up time: it appears as the server's child.
    let busy = || {
        let running = |id: &String| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.split(' ').collect();
            fields.get(13).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0) > 20
                && stat.contains(name)
        };
        living(temporary.path()).iter().any(running)
    };
    wait_until("the macro never ran", busy);
    by(&mut tool);
    wait_until("a process lives on", || living(temporary.path()).is_empty());
    let left = std::fs::read_dir(temporary.path()).unwrap().flatten();
    left.map(|entry| entry.file_name()).collect()
}

#[test]
fn the_next_build_removes_what_an_interrupted_one_left() {
    let cache = tempfile::tempdir().unwrap();
    // No process has a number so high.
    let left = cache.path().join("server-0000000000000000.building-4194305");
    std::fs::create_dir(&left).unwrap();
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let ended = Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"))
        .args(["expand", "echo!(a)", "--package", "zoo-gentle", "--manifest-path"])
        .arg(zoo)
        .env("MACROBOX_CACHE", cache.path())
        .output()
        .unwrap();
    assert!(ended.status.success() && !left.exists(), "{ended:?}");
}
