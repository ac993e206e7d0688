// SPDX-License-Identifier: MIT OR Apache-2.0

//! A real rust-analyzer with our server: a hostile macro costs one expansion and is named, and the
//! healthy one after it is expanded.

use assert_cmd::Command;
use macrobox::flat::{Spans, to_flat};
use predicates::prelude::*;
use predicates::str::contains;
use std::path::Path;

#[test]
fn rust_analyzer_survives_a_hostile_macro() {
    let runs = std::process::Command::new("rust-analyzer").arg("--version").output();
    if !runs.is_ok_and(|output| output.status.success()) {
        // Named, so that it is seen; ci/macrobox.sh installs it.
        let needed = std::env::var_os("MACROBOX_NEED_RUST_ANALYZER").is_some();
        assert!(!needed, "no rust-analyzer to be found");
        eprintln!("skipped: no rust-analyzer here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo");
    let path = |name: &str| zoo.join(name).display().to_string();
    let manifest = format!(
        "[package]\nname = \"analysed\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         zoo-gentle = {{ path = {:?} }}\nzoo-hostile = {{ path = {:?} }}\n",
        path("gentle"),
        path("hostile")
    );
    // `answer` exists if the second macro was expanded, after the first ended its process.
    let source = "zoo_hostile::segfault!();\nzoo_gentle::small!(40 + 2);\n\
                  pub fn twice() -> i32 { answer() * 2 }\n";
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    Command::new("rust-analyzer")
        .args(["analysis-stats", "--no-sysroot", "--only", "analysed::answer", "--proc-macro-srv"])
        .arg(env!("CARGO_BIN_EXE_cargo-macrobox"))
        .arg(folder.path())
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .timeout(std::time::Duration::from_secs(600))
        .assert()
        .success()
        .stderr(contains("`segfault` was ended by signal 11 (SIGSEGV)").and(contains("panics: 0")))
        // The body of that function: two numbers, their sum, and the block.
        .stderr(contains("exprs: 4,"));
}

/// A library with a macro of this name; loading it adds a line to `log`.
fn build(folder: &Path, name: &str, log: &Path) -> std::path::PathBuf {
    let source = format!(
        r#"extern crate proc_macro;
        extern "C" fn construct() {{
            use std::io::Write;
            let file = std::fs::OpenOptions::new().append(true).create(true).open({log:?});
            let forks = std::process::Command::new("/bin/true").status().is_ok();
            let line: &[u8] = if forks {{ b"loaded and forked\n" }} else {{ b"loaded\n" }};
            file.unwrap().write_all(line).unwrap();
        }}
        #[used]
        #[unsafe(link_section = ".init_array")]
        static CONSTRUCTOR: extern "C" fn() = construct;
        #[proc_macro]
        pub fn {name}(_: proc_macro::TokenStream) -> proc_macro::TokenStream {{
            "{name}_was_here".parse().unwrap()
        }}"#
    );
    let (path, built) = (folder.join("libcounted.so"), folder.join("lib.rs"));
    std::fs::write(&built, source).unwrap();
    let _ = std::fs::remove_file(&path);
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--crate-type=proc-macro", "--edition=2024", "-o"]).arg(&path).arg(&built);
    assert!(rustc.status().unwrap().success());
    path
}

#[test]
fn a_library_is_loaded_once_and_again_when_it_is_another() {
    use std::io::{BufRead, BufReader, Write};
    let folder = tempfile::tempdir().unwrap();
    let (log, shared) = (folder.path().join("shared/log"), folder.path().join("shared"));
    std::fs::create_dir(&shared).unwrap();
    let mut tool = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-macrobox"))
        .args(["server", "--allow-write"])
        .arg(&shared)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mut requests, answers) = (tool.stdin.take().unwrap(), tool.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    let mut ask = |request: serde_json::Value| {
        writeln!(requests, "{request}").unwrap();
        answers.next().unwrap().unwrap()
    };
    let nothing =
        to_flat(&macrobox::Stream::default(), &mut Spans::new(vec![0, 0, 0, 1, 0], 0, 0, 0));
    let expand = |path: &Path, name: &str| {
        serde_json::json!({ "ExpandMacro": {
            "lib": path, "macro_body": nothing, "macro_name": name,
            "has_global_spans": { "def_site": 0, "call_site": 0, "mixed_site": 0 },
            "span_data_table": [0, 0, 0, 1, 0],
        }})
    };
    let loaded = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    let path = build(folder.path(), "first", &log);
    let listed = ask(serde_json::json!({ "ListMacros": { "dylib_path": path } }));
    assert!(listed.contains("first") && loaded() == 1, "{listed}");
    for count in 2..5 {
        let answer = ask(expand(&path, "first"));
        assert!(answer.contains("first_was_here"), "{answer}");
        assert_eq!(loaded(), count, "loads");
    }
    // Built anew, as after an edit; nobody lists it again.
    build(folder.path(), "second", &log);
    let answer = ask(expand(&path, "second"));
    assert!(answer.contains("second_was_here"), "{answer}");
    assert!(!std::fs::read_to_string(&log).unwrap().contains("forked"));
    drop(requests);
    assert!(tool.wait().unwrap().success());
}
