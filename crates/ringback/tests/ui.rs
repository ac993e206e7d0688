// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the compiler says about mistakes: `tests/ui/message` has one file for each message of
//! `callback_pool!`, `tests/ui/hook` one for each of `#[hook]` and `hook!`; `tests/ui/types` and
//! `tests/ui/hook_types` have the mistakes that only types show.
//!
//! The expected text stands beside each file. After a change that is meant:
//! `TRYBUILD=overwrite cargo test -p ringback --test ui`, and read the difference.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, stderr};
use std::path::Path;
use std::process::Command;

/// The compiler whose words are expected: other versions say the same in other words.
const REFERENCE: &str = "rustc 1.95.";

/// Why the messages are not compared in this run.
fn reason_to_skip() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    if !version.starts_with(REFERENCE) {
        Some(format!("this is {version}, the reference is {REFERENCE}x"))
    } else if flags.contains("-Z") {
        Some(format!("a run with {flags} is about what programs do"))
    } else {
        None
    }
}

#[test]
fn mistakes_are_told_where_they_are() {
    if let Some(reason) = reason_to_skip() {
        // Past the test harness, which would swallow it.
        let _ = writeln!(stderr(), "skipped: tests/ui: {reason}");
        return;
    }
    let tests = trybuild::TestCases::new();
    tests.compile_fail("tests/ui/message/*.rs");
    tests.compile_fail("tests/ui/types/*.rs");
    if cfg!(feature = "hook") {
        tests.compile_fail("tests/ui/hook/*.rs");
        tests.compile_fail("tests/ui/hook_types/*.rs");
    }
}

fn names(folder: &str, extension: &str) -> BTreeSet<String> {
    fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(folder))
        .expect("the folder exists")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The messages of a macro crate, by the names of their files.
fn messages(macros: &str) -> BTreeSet<String> {
    let errors = format!("{}/../{macros}/src/errors.rs", env!("CARGO_MANIFEST_DIR"));
    let errors = fs::read_to_string(errors).expect("the macro's messages");
    let (_, variants) = errors.split_once("enum Message {\n").expect("the enum");
    let (variants, _) = variants.split_once("\n}").expect("its end");
    let messages: BTreeSet<String> = variants
        .lines()
        .map(|line| line.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
        .filter(|name| name.starts_with(char::is_uppercase))
        .map(snake_case)
        .collect();
    assert!(messages.len() > 10, "the enum was not understood: {messages:?}");
    messages
}

#[test]
fn every_message_has_a_file_and_every_file_its_text() {
    for (folder, macros) in [("message", "ringback-macros"), ("hook", "ringback-hook")] {
        assert_eq!(names(folder, "rs"), messages(macros), "files of tests/ui/{folder}");
    }
    for folder in ["message", "types", "hook", "hook_types"] {
        assert_eq!(names(folder, "rs"), names(folder, "stderr"), "the pairs of tests/ui/{folder}");
    }
}
