// SPDX-License-Identifier: MIT OR Apache-2.0

//! Other versions: of a macro crate, to compare with, and of the compiler's bridge.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn zoo() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml")
}

fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.arg("macrobox").args(arguments);
    command.timeout(std::time::Duration::from_secs(600));
    command
}

fn in_zoo(arguments: &[&str]) -> Assert {
    tool(arguments).arg("--manifest-path").arg(zoo()).assert()
}

#[test]
fn an_expansion_is_compared_with_the_last_one() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("call.rs");
    let expand = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let mut command = tool(&["expand", "--diff", "-p", "zoo-gentle", "--file"]);
        command.arg(&file).arg("--manifest-path").arg(zoo()).current_dir(place.path()).assert()
    };
    expand("small!(40)").success().stdout(contains("this is the first time"));
    expand("small!(40)").success().stdout(contains("// no difference"));
    expand("small!(41)").success().stdout(contains("-    40").and(contains("+    41")));
}

#[test]
fn an_expansion_is_compared_with_another_version_of_the_macro_crate() {
    // A folder, as of a worktree with the change under review.
    let folder = tempfile::tempdir().unwrap();
    let gentle = zoo().parent().unwrap().join("gentle");
    let source = std::fs::read_to_string(gentle.join("src/lib.rs")).unwrap();
    let changed = source.replace("pub fn answer() -> i32", "pub fn answer() -> i64");
    assert_ne!(source, changed);
    let fails = "    assert!(!input.to_string().contains(\"worse\"));\n    input\n}";
    let changed = changed.replacen("    input\n}", fails, 1);
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), changed).unwrap();
    let manifest = "[package]\nname = \"zoo-gentle\"\nversion = \"0.2.0\"\nedition = \"2024\"\n\
                    [lib]\nproc-macro = true\n";
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    let other = folder.path().to_str().unwrap();
    in_zoo(&["expand", "small!(1)", "-p", "zoo-gentle", "--against", other])
        .success()
        .stdout(contains("-pub fn answer() -> i64 {").and(contains("+pub fn answer() -> i32 {")));
    in_zoo(&["expand", "echo!(a + b)", "-p", "zoo-gentle", "--against", other])
        .success()
        .stdout("// no difference\n");
    // Both to the end; and where the other fails, that is said, and the next call is looked at.
    in_zoo(&["expand", "countdown!(2)", "-p", "zoo-gentle", "--recursive", "--against", other])
        .success()
        .stdout("// no difference\n");
    in_zoo(&["expand", "echo!(worse)", "-p", "zoo-gentle", "--against", other])
        .code(1)
        .stdout("")
        .stderr(contains("proc macro panicked: assertion failed"));
    // A version in the registry, which gave the method's body another form.
    let method = "#[async_trait] trait A { async fn a(&self) { b() } }";
    let before = ["expand", method, "-p", "zoo-real"];
    in_zoo(&[&before[..], &["--against", "0.1.80"]].concat())
        .success()
        .stdout(contains("--- 0.1.80\n+++ this one\n"))
        .stdout(contains("-            let () = {").and(contains("+            let _: () = {")));
    in_zoo(&[&before[..], &["--against", "0.0.0"]].concat()).code(2).stderr(contains("0.0.0"));
}

/// Runs the tool in a package without any code, whose manifest ends with `more`.
fn in_empty_package(more: &str) -> impl Fn(&[&str]) -> Assert {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let manifest = "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(folder.path().join("Cargo.toml"), manifest.to_owned() + more).unwrap();
    move |arguments| {
        let mut command = tool(arguments);
        command.current_dir(folder.path()).env("CARGO_TARGET_DIR", folder.path().join("target"));
        command.assert()
    }
}

#[test]
fn an_empty_macro_crate_is_listed_as_such() {
    let run = in_empty_package("[lib]\nproc-macro = true\n");
    run(&["list"]).success().stdout(contains("plain 0.0.0 declares no macros"));
    // The two calls of rustc: metadata for a check, then the library. Also of what is built already.
    run(&["list", "-v"]).success().stderr(contains("--crate-type proc-macro").count(2));
}

#[test]
fn a_package_without_macros_says_so() {
    let run = in_empty_package("");
    run(&["list"]).success().stdout("no procedural macros here\n");
    run(&["list", "plain"]).success().stdout("no procedural macros here\n");
    run(&["expand", "anything!()"]).code(2).stderr(contains("this package uses no macro crates"));
    run(&["expand", "--macro", "anything"]).code(1).stderr(contains("no such call was expanded"));
    run(&["check", "--all", "--deny", "net"]).success();
}

/// A compiler that builds everything but our server, as one with a newer bridge does.
fn newer_compiler(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("rustc");
    let script = "#!/bin/sh\ncase \"$*\" in\n*macrobox_server*) echo \"error[E0407]: method \
                  'ts_new' is not a member of trait 'server::Server'\" >&2; exit 1;;\nesac\n\
                  exec rustc \"$@\"\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn an_unknown_bridge_gets_a_message_and_falls_back() {
    let folder = tempfile::tempdir().unwrap();
    let rustc = newer_compiler(folder.path());
    let run = |arguments: &[&str]| {
        let mut command = tool(arguments);
        command.arg("--manifest-path").arg(zoo()).env("RUSTC", &rustc);
        command.env("MACROBOX_CACHE", folder.path().join("cache"));
        // Cargo would build all anew for another compiler.
        command.env("CARGO_TARGET_DIR", folder.path().join("target")).assert()
    };
    let told = contains("bridge this macrobox does not know. Falling back to the toolchain's own");
    run(&["expand", "small!(40 + 2)", "-p", "zoo-gentle"])
        .success()
        .stdout("pub fn answer() -> i32 {\n    40 + 2\n}\n")
        .stderr(told.clone());
    run(&["list", "zoo-gentle"]).success().stdout(contains("attribute  noted")).stderr(told);
    // What promises a box does not go on without one.
    run(&["expand", "small!(1)", "-p", "zoo-gentle", "--server", "own"])
        .code(2)
        .stdout("")
        .stderr(contains("the server does not build with rustc").and(contains("ts_new")));
    run(&["check", "small!(1)", "-p", "zoo-gentle"])
        .code(2)
        .stderr(contains("does not build with rustc").and(contains("Use a newer macrobox")));
}
