// SPDX-License-Identifier: MIT OR Apache-2.0

//! Libraries that are refused before anything of them is loaded.

use macrobox::cargo::Selection;
use macrobox::{Compiler, Error, Library, Refusal};
use std::path::{Path, PathBuf};
use std::process::Command;

fn gentle() -> PathBuf {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let selection = Selection { manifest_path: Some(zoo), ..Selection::default() };
    let crates = selection.macro_crates(Some("zoo-gentle")).unwrap();
    crates.into_iter().find(|one| one.package == "zoo-gentle").unwrap().path
}

fn refusal(path: &Path) -> Refusal {
    match Library::open(path, &Compiler::current().unwrap()) {
        Err(Error::Library { refusal, .. }) => refusal,
        other => panic!("{}: {other:?}", path.display()),
    }
}

#[test]
fn what_is_no_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lib.so");
    assert!(matches!(refusal(&path), Refusal::Unreadable(_)));
    std::fs::write(&path, "not a library at all").unwrap();
    assert!(matches!(refusal(&path), Refusal::NotALibrary(_)));
    let whole = std::fs::read(gentle()).unwrap();
    for part in [100, whole.len() / 2, whole.len() - 100] {
        std::fs::write(&path, &whole[..part]).unwrap();
        assert!(matches!(refusal(&path), Refusal::NotALibrary(_) | Refusal::NoMacros), "{part}");
    }
}

#[test]
fn a_library_without_macros_is_refused() {
    let own = std::env::current_exe().unwrap();
    assert_eq!(refusal(&own), Refusal::NoMacros);
}

#[test]
fn a_stripped_library_is_still_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lib.so");
    let status =
        Command::new("strip").arg("--strip-all").arg(gentle()).arg("-o").arg(&path).status();
    assert!(status.unwrap().success());
    Library::open(&path, &Compiler::current().unwrap()).unwrap();
    // Without the notes of its compiler too, nobody knows whose it is.
    let status = Command::new("objcopy")
        .args(["--remove-section=.rustc", "--remove-section=.comment"])
        .arg(&path)
        .status();
    assert!(status.unwrap().success());
    assert_eq!(refusal(&path), Refusal::NoVersion);
}

#[test]
fn a_library_of_another_compiler_is_refused_by_name() {
    // The same bytes, but for the version that the metadata names.
    let mut bytes = std::fs::read(gentle()).unwrap();
    let version = Compiler::current().unwrap().version().to_owned();
    let places: Vec<usize> = bytes
        .windows(version.len())
        .enumerate()
        .filter_map(|(at, window)| (window == version.as_bytes()).then_some(at))
        .collect();
    for at in places {
        bytes[at..at + 7].copy_from_slice(b"rustc 9");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lib.so");
    std::fs::write(&path, bytes).unwrap();
    let Refusal::OtherCompiler { built, ours } = refusal(&path) else { panic!("loaded") };
    assert!(built.starts_with("rustc 9") && ours == version);
}

#[test]
fn a_library_of_another_codegen_backend_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, comment) = (folder.path().join("lib.so"), folder.path().join("comment"));
    let version = Compiler::current().unwrap().version().replacen("rustc ", "rustc version ", 1);
    // As cranelift's backend signs what it makes; and as LLVM's does.
    for (text, refused) in [(format!("{version} with cranelift 0.127.0\0"), true), (version, false)]
    {
        std::fs::write(&comment, &text).unwrap();
        let status = Command::new("objcopy")
            .arg(format!("--update-section=.comment={}", comment.display()))
            .arg(gentle())
            .arg(&path)
            .status();
        assert!(status.unwrap().success());
        match (Library::open(&path, &Compiler::current().unwrap()), refused) {
            (Err(error), true) => assert!(
                error.to_string().contains("with cranelift 0.127.0`: build it with the default"),
                "{error}"
            ),
            (Ok(_), false) => {}
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}
