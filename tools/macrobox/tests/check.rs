// SPDX-License-Identifier: MIT OR Apache-2.0

//! `check` as a gate: what macros touch, whether their output varies and why, and the exit codes.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use std::path::Path;

/// `cargo macrobox check ..` in a folder of the tests' crates.
fn check(workspace: &str, arguments: &[&str]) -> Assert {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(workspace);
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.arg("macrobox").arg("check").args(arguments).current_dir(folder);
    command.timeout(std::time::Duration::from_secs(1200)).assert()
}

fn check_call(call: &str, more: &[&str]) -> Assert {
    check("zoo", &[&[call, "-p", "zoo-gentle"], more].concat())
}

#[test]
fn touches_are_seen_and_denied() {
    let few = ["--runs", "3"];
    check_call("curious!()", &few)
        .success()
        .stdout(contains("env: MACROBOX_ZOO").and(contains("fs-read: openat /etc/hostname")))
        .stdout(contains("thread: clone").and(contains("clock: 0")));
    check_call("echo!(a)", &["--deny", "net,exec,fs-write,env,random,thread,varies"])
        .success()
        .stdout(contains("no difference found").and(contains("unboxed")));
    // Who may start programs is watched as closely: a thread is no process, and a process no thread.
    check_call("curious!()", &["--allow", "exec", "--runs", "3"])
        .success()
        .stdout(contains("thread: clone").and(contains("exec:").not()));
    check_call("spawns!()", &["--allow", "exec", "--runs", "2"])
        .success()
        .stdout(contains("exec: clone").and(contains("exec: execve /bin/true")))
        .stdout(contains("thread:").not());
    check_call("curious!()", &["--deny", "env"]).code(1).stdout(contains("DENIED env"));
}

#[test]
fn a_difference_names_its_cause() {
    let causes = [
        ("counting!()", "after other calls in one process: `Integer 0 `, then `Integer 1 `"),
        ("hashed!()", "with the seed of random numbers changed"),
        ("dated!()", "with the clock changed"),
        ("placed!()", "with the current directory changed"),
        ("surrounded!()", "with the environment's other variables changed"),
        ("addressed!()", "with nothing but addresses, time and process numbers changed"),
    ];
    for (call, cause) in causes {
        check_call(call, &[]).success().stdout(contains("output varies").and(contains(cause)));
    }
    check_call("hashed!()", &["--deny", "varies"]).code(1).stdout(contains("DENIED varies"));
}

#[test]
fn the_c_library_s_other_clocks_and_its_other_way_to_the_environment_are_seen() {
    for function in ["time", "written", "gettimeofday", "timespec_get"] {
        check_call(&format!("dated_by!({function})"), &["--runs", "3"])
            .success()
            .stdout(contains("with the clock changed").and(contains("  clock: 0")))
            .stdout(contains("  env: MACROBOX_ZOO_SECURE"));
    }
}

#[test]
fn who_ends_the_process_of_all_calls_is_named_and_the_others_are_compared() {
    let item = "#[derive(Named, Once, Tallied)] struct S;";
    check_call(item, &["--runs", "2"])
        .success()
        .stdout(contains(
            "gentle::Once: 1 calls, output varies after other calls in one process: `Once`",
        ))
        .stdout(contains("SIGABRT").and(contains("gentle::Named: 1 calls, no difference found")))
        .stdout(contains(
            "gentle::Tallied: 1 calls, output varies after other calls in one process",
        ));
}

#[test]
fn a_macro_that_fails_in_the_box_does_not_pass_the_gate() {
    // What it was refused is the finding, though it never came to an answer.
    let denied = check_call("calls_home!()", &["--deny", "net", "--runs", "2"]).code(1);
    denied
        .stdout(contains("DENIED net: socket").and(contains("failed, and so was not checked")))
        .stderr(contains("1 denied").and(contains("1 macros failed in the box")));
    check_call("calls_home!()", &["--runs", "2"]).code(1).stderr(contains("MACRO fails"));
    // Allowed, it runs.
    check_call("calls_home!()", &["--allow", "net", "--runs", "2"])
        .success()
        .stdout(contains("net: socket").and(contains("refused").not()));
}

#[test]
fn an_allow_list_allows_by_macro_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("allowed");
    let with = |lines: &str, call: &str, deny: &str| {
        std::fs::write(&list, lines).unwrap();
        let list = list.to_str().unwrap();
        check_call(call, &["--deny", deny, "--allow-list", list, "--runs", "2"])
    };
    with("zoo_gentle::curious env # it asks for its own\n", "curious!()", "env").success();
    with("zoo_gentle::curious clock\n", "curious!()", "env").code(1);
    // The box lets through what the list allows.
    with("zoo_gentle::calls_home net\n", "calls_home!()", "net,exec").success();
    let kept = folder.path().join("kept");
    let keeps = format!("keeps!({kept:?})");
    with("zoo_gentle::keeps env\n", &keeps, "fs-write").code(1);
    assert!(!kept.exists());
    with("zoo_gentle::keeps fs-write\n", &keeps, "fs-write").success();
    assert!(kept.exists());
    with("zoo_gentle::hashed varies\n", "hashed!()", "varies").success();
    with("zoo_gentle::echo net\n", "echo!(a)", "net")
        .success()
        .stderr(contains("`zoo_gentle::echo net` allows what was not seen"));
    // A macro that stands beside one that is allowed more gets no more for it.
    with("zoo_gentle::Home net\n", "#[derive(Home, Away)] struct S;", "net,varies")
        .code(1)
        .stdout(contains("DENIED net: socket , refused").and(contains("varies").not()));
    with("# first\nzoo_gentle::echo nett\n", "echo!(a)", "net")
        .code(2)
        .stderr(contains("allowed:2: `zoo_gentle::echo nett` is not `MACRO KIND`"));
    check_call("echo!(a)", &["--allow-list", "/no/such/list"])
        .code(2)
        .stderr(contains("reading the allow-list /no/such/list"));
}

#[test]
fn every_macro_of_the_lock_file_passes_the_gate_with_its_list() {
    let deny = ["--all", "--deny", "net,fs-write,exec,clock,varies", "--runs", "4"];
    let json = check("zoo", &[&deny[..], &["--json"]].concat()).code(1);
    let found: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    let calls = |name: &str| {
        let mut each = found["macros"].as_array().unwrap().iter();
        each.find(|one| one["macro"] == name).map_or(0, |one| one["calls"].as_u64().unwrap())
    };
    // Its own crates' macros, those of dependencies, and a library that misbehaves when loaded.
    assert!(calls("serde_derive::Serialize") >= 3, "{found:#}");
    assert!(calls("zoo_gentle::echo") >= 2, "{found:#}");
    json.stderr(contains("1 denied"));
    check("zoo", &[&deny[..], &["--allow-list", "macrobox.allow"]].concat())
        .success()
        .stdout(contains("zoo_constructed::(loading)").and(contains("DENIED").not()))
        .stdout(contains("called by no crate here").and(contains("zoo_hostile::segfault")));
}

#[test]
fn sqlx_s_macros_read_files_and_would_ask_the_database() {
    let deny = ["--all", "--deny", "net,fs-write,exec,env,varies", "--runs", "3"];
    check("zoo/sqlx", &[&deny[..], &["--allow-list", "macrobox.allow"]].concat())
        .success()
        .stdout(contains("sqlx_macros::expand_query: 1 calls, no difference found"))
        .stdout(contains("/.sqlx/query-").and(contains("migrations/1_people.sql")))
        // What the crates below it call counts too.
        .stdout(contains("thiserror_impl::Error").and(contains("env: DATABASE_URL")));
    // Told of a database, the same macro opens a socket: seen, refused, and so no expansion.
    let database =
        ["--env", "DATABASE_URL=postgres://127.0.0.1:1/none", "--env", "SQLX_OFFLINE=false"];
    check("zoo/sqlx", &[&["--deny", "net", "--runs", "2"], &database[..]].concat())
        .code(1)
        .stdout(contains("DENIED net: socket").and(contains("refused")));
}

#[test]
fn nothing_hides_behind_a_library_s_name_or_a_full_list() {
    check_call("disguised!()", &["--deny", "fs-write", "--runs", "2"])
        .code(1)
        .stdout(contains("DENIED fs-write: openat /no-such-folder/libdisguised.so"))
        .stdout(contains("DENIED fs-write: openat2 /no-such-folder/libdisguised.so"));
    check_call("busy!()", &["--deny", "fs-write", "--runs", "2"])
        .code(1)
        .stdout(contains("was not checked: it asked the kernel for more than was noted"));
}

/// A package `outer` with these lines of its manifest after `[workspace]`, and in folders beside it the
/// macro crates `inner` of these versions, with this code.
fn outer(lines: &str, inner: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: String, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let package = |name: &str, version: &str, more: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\
             [lib]\npath = \"lib.rs\"\n{more}"
        )
    };
    write("outer/Cargo.toml".into(), &package("outer", "0.1.0", &format!("[workspace]\n{lines}")));
    write("outer/lib.rs".into(), "");
    for (version, code) in inner {
        write(format!("{version}/Cargo.toml"), &package("inner", version, "proc-macro = true"));
        write(format!("{version}/lib.rs"), code);
    }
    folder
}

/// The code of a macro crate that does nothing of note.
const IDLE: &str = "use proc_macro::TokenStream;
    #[proc_macro] pub fn idle(input: TokenStream) -> TokenStream { input }";

#[test]
fn macro_crates_that_are_not_built_are_told_and_denied() {
    let gentle = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/gentle");
    let constructed = gentle.with_file_name("constructed");
    let folder = outer(
        &format!(
            "[dev-dependencies]\nzoo-gentle = {{ path = {gentle:?} }}\n\
             [dependencies]\nold = {{ package = \"inner\", path = \"../0.1.0\" }}\n\
             new = {{ package = \"inner\", path = \"../0.2.0\", optional = true }}\n\
             [target.'cfg(windows)'.dependencies]\nzoo-constructed = {{ path = {constructed:?} }}\n"
        ),
        &[("0.1.0", IDLE), ("0.2.0", IDLE)],
    );
    let outer = folder.path().join("outer");
    let check = |arguments: &[&str]| {
        check(outer.to_str().unwrap(), &[arguments, &["--runs", "2"]].concat())
    };
    let all = |more: &[&str]| check(&[&["--all"], more].concat());
    let each = ["inner@0.2.0", "zoo_constructed", "zoo_gentle"];
    let told =
        all(&[]).success().stdout(contains("not built here").and(contains("--all-features")));
    told.stdout(contains("  unbuilt: zoo_gentle\n").and(contains("inner@0.1.0").not()));
    let json = all(&["--json", "--deny", "unbuilt"]).code(1).stderr(contains("3 denied"));
    let found: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    assert_eq!(found["not_built"], serde_json::json!(each));
    check(&["--deny", "unbuilt"]).code(2).stderr(contains("add --all"));
    // With its feature on, one of them is built; the others may be allowed, and no more.
    let list = folder.path().join("allowed");
    std::fs::write(&list, "zoo_gentle unbuilt # in tests only\ninner unbuilt\n").unwrap();
    let with = ["--deny", "unbuilt", "--allow-list", list.to_str().unwrap(), "--all-features"];
    all(&with)
        .code(1)
        .stdout(contains("DENIED unbuilt: zoo_constructed").and(contains("  unbuilt: zoo_gentle")))
        .stdout(contains("inner@").not())
        .stderr(contains("1 denied").and(contains("`inner unbuilt` allows what was not seen")));
}

/// A macro crate that runs this when it is loaded.
fn constructed(code: &str) -> String {
    format!(
        "{IDLE} extern \"C\" fn construct() {{ {code} }}
        #[used] #[unsafe(link_section = \".init_array\")] static C: extern \"C\" fn() = construct;"
    )
}

#[test]
fn a_library_that_dies_when_it_is_loaded_is_a_finding() {
    let dies = constructed(
        "std::net::TcpListener::bind(\"127.0.0.1:0\").is_err().then(std::process::abort);",
    );
    let folder = outer("[dependencies]\ninner = { path = \"../0.1.0\" }", &[("0.1.0", &dies)]);
    let list = folder.path().join("allowed");
    let outer = folder.path().join("outer");
    let all = |lines: &str| {
        std::fs::write(&list, lines).unwrap();
        let list = ["--allow-list", list.to_str().unwrap()];
        let all = ["--all", "--deny", "net", "--runs", "2"];
        check(outer.to_str().unwrap(), &[&all[..], &list].concat())
    };
    let failed = all("").code(1).stderr(contains("1 denied").and(contains("1 macros failed")));
    failed
        .stdout(contains("inner::(loading): 0 calls, failed, and so was not checked"))
        .stdout(contains("SIGABRT").and(contains("DENIED net: socket , refused")));
    all("inner::(loading) fails").code(1).stderr(contains("1 denied"));
    // Let through what the list allows, it lives.
    all("inner::(loading) net")
        .success()
        .stdout(contains("net: socket").and(contains("refused").not()))
        .stdout(contains("called by no crate here: inner::idle"));
}

#[test]
fn what_loading_reads_is_a_finding_of_each_version() {
    let reads = |name: &str| constructed(&format!("let _ = std::env::var({name:?});"));
    let folder = outer(
        "[dependencies]\nold = { package = \"inner\", path = \"../0.1.0\" }\n\
         new = { package = \"inner\", path = \"../0.2.0\" }",
        &[("0.1.0", &reads("INNER_OLD")), ("0.2.0", &reads("INNER_NEW"))],
    );
    let list = folder.path().join("allowed");
    std::fs::write(&list, "inner@0.2.0::(loading) env\n").unwrap();
    let outer = folder.path().join("outer");
    let all = ["--all", "--deny", "env", "--runs", "2", "--allow-list", list.to_str().unwrap()];
    check(outer.to_str().unwrap(), &all)
        .code(1)
        .stdout(contains("inner@0.1.0::(loading)").and(contains("  DENIED env: INNER_OLD")))
        .stdout(contains("inner@0.2.0::(loading)").and(contains("  env: INNER_NEW")))
        .stderr(contains("1 denied"));
}

#[test]
fn a_crate_that_does_not_compile_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let gentle = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/gentle");
    let manifest = format!(
        "[package]\nname = \"broken\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n\
         [dependencies]\nzoo-gentle = {{ path = {gentle:?} }}"
    );
    write("Cargo.toml", &manifest);
    write("lib.rs", "zoo_gentle::echo!(pub fn one() {}); no_such_macro!();");
    check(folder.path().to_str().unwrap(), &["--runs", "2"])
        .code(2)
        .stderr(contains("not every crate compiles").and(contains("no_such_macro")));
}
