// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the example `vehicle_bus` as a user does.

use crate::common::{assert_refused, stderr, stdout};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

fn run(arguments: &str) -> Output {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| crate::common::build("vehicle_bus"));
    crate::common::run(Command::new(&*BINARY).args(arguments.split_whitespace()))
}

/// The rows of the table: name and value; a note follows, two spaces apart.
fn table(output: &Output) -> HashMap<String, u64> {
    let row = |line: &str| {
        let mut columns = line.split("  ").map(str::trim).filter(|column| !column.is_empty());
        let name = columns.next()?.to_owned();
        let value = columns.next()?.replace(',', "").parse().ok()?;
        Some((name, value))
    };
    stdout(output).lines().filter_map(row).collect()
}

/// Runs the job, and checks what is true of every run that ends well.
fn run_well(arguments: &str) -> HashMap<String, u64> {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
    let table = table(&output);
    assert_eq!(table["misdelivered"], 0, "{arguments}");
    let mut accounted = table["delivered"] + table["stale"] + table["unhandled"];
    if arguments.contains("--kind sync") {
        assert!(!table.contains_key("order violations"), "{arguments}");
    } else {
        accounted += table["rejected"] + table["discarded"];
        assert_eq!(table["order violations"], 0, "{arguments}");
        assert_latencies(&stdout(&output));
    }
    assert_eq!(accounted, table["sent"], "{arguments}");
    table
}

/// The rows of latencies are there, and each is at least the one before; `-` for no message.
fn assert_latencies(table: &str) {
    let value = |row: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix("  "));
        let text = line.and_then(|line| line.split_whitespace().next()).expect("such a row");
        if text == "-" { 0.0 } else { text.replace(',', "").parse().expect("a number") }
    };
    let rows = |what: &str| ["p50", "p99", "p99.9"].map(|part| value(&format!("{what} {part:<8}")));
    let (latency, hand_over): ([f64; 3], [f64; 3]) = (rows("latency"), rows("hand-over"));
    assert!(latency.is_sorted() && hand_over.is_sorted(), "{table}");
    assert!(latency.iter().zip(hand_over).all(|(all, part)| *all >= part), "{table}");
}

#[test]
fn five_thousand_listeners_get_a_million_messages() {
    for arguments in ["", "--kind sync"] {
        let table = run_well(arguments);
        assert_eq!(table["sent"], 1_000_000);
        assert_eq!(table["listeners"], 5_000);
        assert_eq!(table["churned"], 500);
        assert!(table["stale"] >= 250, "every second batch is renewed with its messages held back");
    }
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
        run_well(&format!("{arguments} --kind sync"));
    }
}

#[test]
fn the_check_finds_what_plain_oldest_first_reuse_misdelivers() {
    for kind in ["async", "sync"] {
        let job = format!("--kind {kind} --listeners 200 --messages 50000 --reuse");
        let output = run(&format!("{job} oldest-first"));
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        // 20 listeners are churned in two batches; the ten of the first are surely sent a message
        // whose handler is still queued when its slot serves another key.
        assert!(table(&output)["misdelivered"] >= 10);
        assert!(stderr(&output).contains("reached registration 2 of"), "{}", stderr(&output));

        let same_job = run_well(&format!("{job} after-confirmation"));
        assert!(same_job["stale"] >= 10, "the same messages, each answered as a stale call");
    }
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
        ("--kind both", "--kind both: give async or sync"),
        ("--kind", "--help lists the options"),
        ("--messages", "--help lists the options"),
        ("--speed 3", "--help lists the options"),
        ("-x", "--help lists the options"),
        ("more", "--help lists the options"),
    ] {
        assert_refused(&run(arguments), 2, remedy);
    }
}

#[test]
fn help_names_every_option() {
    let output = run("--help");
    assert_eq!(output.status.code(), Some(0));
    for option in ["--listeners", "--messages", "--threads", "--kind", "--reuse", "oldest-first"] {
        assert!(stdout(&output).contains(option), "{option}");
    }
}
