//! Runs the example `vehicle_bus` as a user does.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What no run comes near; a bus that hangs is stopped then.
const WATCHDOG: Duration = Duration::from_secs(600);

fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let binary = profile.join("examples").join("vehicle_bus");
    assert!(binary.exists(), "{binary:?} is missing: cargo build -p ringback-examples --examples");
    binary
}

fn run(arguments: &str) -> Output {
    let mut child = Command::new(binary())
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let start = Instant::now();
    // What it writes fits a pipe, so it need not be read before the end.
    while child.try_wait().expect("a child can be waited for").is_none() {
        if start.elapsed() > WATCHDOG {
            child.kill().expect("a child can be killed");
            panic!("vehicle_bus {arguments} hangs");
        }
        sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output can be read")
}

/// The rows of the table: the value is the last word before the note.
fn table(output: &Output) -> HashMap<String, u64> {
    let text = String::from_utf8_lossy(&output.stdout);
    let row = |line: &str| {
        let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
        let name = columns.next()?.to_owned();
        let value = columns.next()?.replace(',', "").parse().ok()?;
        Some((name, value))
    };
    text.lines().filter_map(row).collect()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the job, and checks what is true of every run that ends well.
fn run_well(arguments: &str) -> HashMap<String, u64> {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", errors(&output));
    let table = table(&output);
    assert_eq!(table["misdelivered"], 0, "{arguments}");
    let accounted = table["delivered"] + table["stale"] + table["unhandled"];
    assert_eq!(accounted, table["sent"], "{arguments}");
    table
}

#[test]
fn five_thousand_listeners_get_a_million_messages() {
    let table = run_well("");
    assert_eq!(table["sent"], 1_000_000);
    assert_eq!(table["listeners"], 5_000);
    assert_eq!(table["churned"], 500);
    assert!(table["stale"] >= 250, "every second batch is renewed with its messages held back");
}

#[test]
fn any_size_will_do() {
    for arguments in [
        "--listeners 1 --messages 1 --threads 1",
        "--listeners 1 --messages 30000 --threads 1",
        "--listeners 10000 --messages 1",
        "--listeners 10000 --messages 20000",
        "--listeners 15 --messages 25 --threads 3",
        "--listeners 200 --messages 50000 --threads 8",
        "--listeners=999 --messages=10001 --reuse after-confirmation",
    ] {
        run_well(arguments);
    }
}

#[test]
fn the_check_finds_what_plain_oldest_first_reuse_misdelivers() {
    let output = run("--listeners 200 --messages 50000 --reuse oldest-first");
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    // 20 listeners are churned in two batches; the ten of the first are surely sent a message
    // whose handler is still queued when its slot serves another key.
    assert!(table(&output)["misdelivered"] >= 10);
    assert!(errors(&output).contains("reached registration 2 of"), "{}", errors(&output));

    let same_job = run_well("--listeners 200 --messages 50000 --reuse after-confirmation");
    assert!(same_job["stale"] >= 10, "the same messages, each answered as a stale call");
}

#[test]
fn a_bad_option_gets_one_line_with_the_remedy() {
    for (arguments, remedy) in [
        ("--listeners 0", "--listeners 0: give a whole number from 1 to 10000"),
        ("--listeners 10001", "--listeners 10001: give a whole number from 1 to 10000"),
        ("--listeners many", "--listeners many: give a whole number from 1 to 10000"),
        ("--messages 0", "--messages 0: give a whole number from 1 to 1000000000000"),
        ("--messages -5", "--messages -5: give a whole number from 1 to 1000000000000"),
        ("--messages 99999999999999999999", "give a whole number from 1 to 1000000000000"),
        ("--threads 0", "--threads 0: give a whole number from 1 to 64"),
        ("--threads 65", "--threads 65: give a whole number from 1 to 64"),
        ("--threads 1.5", "--threads 1.5: give a whole number from 1 to 64"),
        ("--reuse at-once", "--reuse at-once: give after-confirmation or oldest-first"),
        ("--messages", "--help lists the options"),
        ("--speed 3", "--help lists the options"),
        ("-x", "--help lists the options"),
        ("more", "--help lists the options"),
    ] {
        let output = run(arguments);
        let errors = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{arguments}: {errors}");
        assert!(errors.contains(remedy), "{arguments}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
}

#[test]
fn help_names_every_option() {
    let output = run("--help");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    for option in ["--listeners", "--messages", "--threads", "--reuse", "oldest-first"] {
        assert!(text.contains(option), "{option}");
    }
}
