// SPDX-License-Identifier: MIT OR Apache-2.0

//! A user's crate: either edition, the library under another name, `forbid(unsafe_code)`, and every
//! lint that one can switch on. Its sources are in `tests/consumer`.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Past the test harness, which would swallow it.
fn skipped(what: &str, why: &str) {
    let _ = writeln!(stderr(), "skipped: {what}: {why}");
}

/// Where it is built: what is there is of these features.
const TARGET: &str = if cfg!(feature = "hook") { "target/hook" } else { "target/plain" };

/// What the tests of hooks use besides.
const FOR_HOOKS: &str = "futures-executor = \"0.3\"
tokio = { version = \"1\", features = [\"rt-multi-thread\"] }
tracing = { version = \"0.1\", features = [\"attributes\"] }";

/// The names of the Rust files in a folder.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder exists");
    let names = entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned());
    let names: Vec<String> = names.filter(|name| name.ends_with(".rs")).collect();
    assert!(!names.is_empty(), "no file in {}", folder.display());
    names
}

/// Writes the crate where nobody minds its lock file, with the versions of this workspace, and with
/// all the declarations of the other macro tests.
fn consumer(edition: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumer");
    let _ = fs::remove_dir_all(target.join("tests")); // of an earlier run; there may be none
    let copy = |from: &str, to: &str, change: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(here.join("tests").join(from)).expect("a file of the tests");
        let to = target.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("it can be made");
        fs::write(to, change(text)).expect("it can be written");
    };
    copy("consumer/Cargo.toml.in", "Cargo.toml", &|text| {
        text.replace("@EDITION@", edition)
            .replace("@RINGBACK@", &here.display().to_string())
            .replace("@FOR_HOOKS@", if cfg!(feature = "hook") { FOR_HOOKS } else { "" })
    });
    for source in ["lib.rs", "hooks.rs"] {
        copy(&format!("consumer/src/{source}"), &format!("src/{source}"), &|text| text);
    }
    copy("consumer/tests/lib.rs", "tests/lib.rs", &|text| text);
    for forms in ["macro_forms.rs", "macro_types.rs"] {
        copy(forms, &format!("tests/{forms}"), &|text| {
            text.replacen("use ringback::", "extern crate rb as ringback;\nuse ringback::", 1)
        });
    }
    let hooks = if cfg!(feature = "hook") { sources(&here.join("tests/hook")) } else { Vec::new() };
    for name in hooks {
        copy(&format!("hook/{name}"), &format!("tests/hook/{name}"), &|text| {
            text.replacen("mod arguments;", "extern crate rb as ringback;\nmod arguments;", 1)
        });
    }
    fs::copy(here.join("../../Cargo.lock"), target.join("Cargo.lock")).expect("the lock file");
    target
}

fn cargo(folder: &Path, arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = Command::new(cargo)
        .args(arguments)
        .args(if cfg!(feature = "hook") { &["--features", "hook"][..] } else { &[] })
        .args(["--offline", "--target-dir"])
        .arg(folder.join(TARGET))
        .current_dir(folder)
        .output()
        .expect("cargo runs");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "cargo {arguments:?} failed:\n{out}\n{err}");
    assert!(!err.contains("warning: "), "cargo {arguments:?} warns:\n{err}");
}

/// Compiles a program of the consumer with unstable features allowed, and runs it.
fn with_unstable_features(consumer: &Path, program: &str) {
    let dependencies = consumer.join(TARGET).join("debug/deps");
    let is_library = |name: &str| name.starts_with("libringback-") && name.ends_with(".rlib");
    let entries = fs::read_dir(&dependencies).expect("the consumer has been built");
    let libraries = entries.map(|it| it.expect("an entry").path());
    let library =
        libraries.filter(|it| is_library(&it.file_name().expect("a name").to_string_lossy()));
    let modified = |it: &PathBuf| it.metadata().and_then(|it| it.modified()).expect("its time");
    let library = library.max_by_key(modified).expect("ringback has been built");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumer").join(program);
    let binary = consumer.join(TARGET).join(program).with_extension("");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.env("RUSTC_BOOTSTRAP", "1").args(["--edition", "2021", "--extern"]);
    rustc.arg(format!("rb={}", library.display())).arg("-L").arg(dependencies);
    let compiled = rustc.arg(source).arg("-o").arg(&binary).output().expect("rustc runs");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    assert!(Command::new(binary).status().expect("it runs").success());
}

#[test]
fn a_strict_crate_of_either_edition_uses_pools_and_hooks() {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    if flags.contains("-Z") {
        return skipped("tests/consumer", &format!("a run with {flags} is about what programs do"));
    }
    let has_clippy = Command::new("cargo")
        .args(["clippy", "--version"])
        .output()
        .is_ok_and(|it| it.status.success());
    // The tests themselves are of the edition 2024, so that one only has to be quiet.
    let newer = consumer("2024");
    cargo(&newer, &[if has_clippy { "clippy" } else { "check" }, "--lib"]);
    let consumer = consumer("2021");
    cargo(&consumer, &["test"]);
    if cfg!(feature = "hook") {
        with_unstable_features(&consumer, "closures.rs");
    }
    cargo(&consumer, &["doc", "--no-deps"]);
    if has_clippy {
        cargo(&consumer, &["clippy", "--lib"]);
    } else {
        skipped("clippy on tests/consumer", "clippy is not installed");
    }
}
