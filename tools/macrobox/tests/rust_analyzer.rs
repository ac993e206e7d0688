//! A real rust-analyzer with our server: a hostile macro costs one expansion and is named, and the
//! healthy one after it is expanded.

use assert_cmd::Command;
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
        .args(["analysis-stats", "--no-sysroot", "--proc-macro-srv"])
        .arg(env!("CARGO_BIN_EXE_cargo-macrobox"))
        .arg(folder.path())
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .timeout(std::time::Duration::from_secs(600))
        .assert()
        .success()
        .stderr(contains("`segfault` was ended by signal 11 (SIGSEGV)").and(contains("panics: 0")))
        .stdout(contains("processing: analysed::answer"));
}
