// SPDX-License-Identifier: MIT OR Apache-2.0

//! Starting contestants, each with a network and a configuration of its own.

use crate::contestant::{Job, Outcome, PUBLISHER, RECEIVE};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contestant {
    Native,
    Peer,
    Ours,
}

pub const ALL: [Contestant; 3] = [Contestant::Native, Contestant::Peer, Contestant::Ours];

impl Contestant {
    pub fn name(self) -> &'static str {
        match self {
            Contestant::Native => "native C++",
            Contestant::Peer => "up-transport-vsomeip 0.6",
            Contestant::Ours => "ringback-vsomeip",
        }
    }

    fn command(self) -> Command {
        match self {
            Contestant::Peer => Command::new(
                peer_program()
                    .unwrap_or_else(|| peer_target().join(PROFILE).join("peer-contestant")),
            ),
            _ => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                let which = if self == Contestant::Native { "native" } else { "ours" };
                command.arg(format!("contestant-{which}"));
                command
            }
        }
    }

    /// Runs a job in a process of its own; `None` where it fails, hangs or receives nothing.
    pub fn run(self, job: Job) -> Option<Outcome> {
        self.outcome(job).filter(|outcome| outcome.received != 0)
    }

    fn outcome(self, job: Job) -> Option<Outcome> {
        let configuration = Configuration::new();
        let mut child = spawn(self.command(), job, &configuration);
        if job.scenario != RECEIVE {
            return finish(child);
        }
        // Once it is ready, a native process publishes.
        let lines = lines_of(&mut child);
        let ready = lines.recv_timeout(LIMIT).is_ok_and(|line| line.trim() == "ready");
        let publisher = ready.then(|| {
            spawn(Contestant::Native.command(), Job { scenario: PUBLISHER, ..job }, &configuration)
        });
        let ended = ready && ended(&mut child);
        for mut child in publisher.into_iter().chain([child]) {
            let _ = (child.kill(), child.wait());
        }
        if ended { lines.iter().find_map(|line| parse(&line)) } else { None }
    }
}

/// Starts `background` as one half of a pair, and runs `job` as the other: two contestants that talk
/// to each other.
pub fn pair(background: (Contestant, Job), job: (Contestant, Job)) -> Option<Outcome> {
    let configuration = Configuration::new();
    let mut other = spawn(background.0.command(), background.1, &configuration);
    let outcome = finish(spawn(job.0.command(), job.1, &configuration));
    let _ = (other.kill(), other.wait());
    outcome
}

fn spawn(mut command: Command, job: Job, configuration: &Configuration) -> Child {
    let numbers = [u64::from(job.scenario), job.size, job.count, job.rate, job.in_flight];
    command
        .args(numbers.map(|number| number.to_string()))
        .env("VSOMEIP_CONFIGURATION", &configuration.path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a contestant can be started")
}

/// How long a contestant may take for a job.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether a process ends well, and in time; else it is killed.
fn ended(child: &mut Child) -> bool {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => break,
        }
    }
    let _ = (child.kill(), child.wait());
    false
}

/// What a process prints, read by a thread of its own: who waits for a line may give up.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let output = child.stdout.take().expect("it is piped");
    std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.for_each(|line| drop(sender.send(line)));
    });
    lines
}

fn finish(mut child: Child) -> Option<Outcome> {
    let lines = lines_of(&mut child);
    if ended(&mut child) { lines.iter().find_map(|line| parse(&line)) } else { None }
}

fn parse(line: &str) -> Option<Outcome> {
    let numbers: Vec<u64> = line
        .trim()
        .strip_prefix("outcome ")?
        .split(' ')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99, allocations] = numbers[..]
    else {
        return None;
    };
    Some(Outcome { received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99, allocations })
}

/// vsomeip's configuration, the same for all contestants: two applications with one dispatcher each.
struct Configuration {
    path: PathBuf,
    network: String,
}

impl Configuration {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let network = format!("rbb-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(format!("{network}.json"));
        let text = format!(
            r#"{{ "network": "{network}",
                 "logging": {{ "level": "fatal", "console": "false" }},
                 "applications": [
                   {{ "name": "sub", "id": "0x2222", "max_dispatchers": "0" }},
                   {{ "name": "pub", "id": "0x1111", "max_dispatchers": "0" }} ] }}"#
        );
        std::fs::write(&path, text).expect("a file in the temporary folder");
        Configuration { path, network }
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&self.network) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn bench_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn peer_folder() -> PathBuf {
    bench_folder().join("peer")
}

/// The peer is built as this program is; figures are taken for release.
const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// The peer's contestant, if it was built before.
pub fn peer_program() -> Option<PathBuf> {
    std::env::var_os("RINGBACK_PEER_PROGRAM").map(PathBuf::from)
}

pub fn peer_target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target).join("peer"),
        None => peer_folder().join("target"),
    }
}

/// Builds and runs `peer/raw`.
pub fn raw_pointers() -> bool {
    let mut build = peer_cargo();
    build.args(["-p", "raw-pointers"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return false;
    }
    let mut program = Command::new(peer_target().join(PROFILE).join("raw-pointers"));
    program.env("LD_LIBRARY_PATH", env!("VSOMEIP_LIBRARIES")).stdin(Stdio::null());
    let mut child = program.spawn().expect("it was built");
    ended(&mut child)
}

/// cargo, set up to build the peer: it wants to be told where vsomeip and the C++ library are.
pub fn peer_cargo() -> Command {
    let include = |from: &str, prefix: &str| {
        let entries = std::fs::read_dir(from).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix))
            })
            .collect();
        found.sort_by_key(|path| path.to_string_lossy().len() * 1000 + path.as_os_str().len());
        found.pop().unwrap_or_default()
    };
    let generic = include("/usr/include/c++", "1");
    let version = generic.file_name().unwrap_or_default().to_owned();
    let arch = format!("/usr/include/{}-linux-gnu/c++", std::env::consts::ARCH);
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet"])
        .args((PROFILE == "release").then_some("--release"))
        .arg("--manifest-path")
        .arg(peer_folder().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", peer_target())
        .env("GENERIC_CPP_STDLIB_PATH", &generic)
        .env("ARCH_SPECIFIC_CPP_STDLIB_PATH", PathBuf::from(arch).join(version))
        .env(
            "VSOMEIP_INSTALL_PATH",
            PathBuf::from(env!("VSOMEIP_LIBRARIES")).parent().expect("a prefix"),
        );
    command
}
