// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the compiler expands, replayed: the crate's own calls, a committed corpus, and what is missing.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::contains;
use std::path::{Path, PathBuf};

fn zoo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo")
}

fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.arg("macrobox").args(arguments).timeout(std::time::Duration::from_secs(600));
    command
}

fn in_zoo(arguments: &[&str]) -> Assert {
    tool(arguments).arg("--manifest-path").arg(zoo().join("Cargo.toml")).assert()
}

#[test]
fn the_crate_s_calls_are_the_compiler_s() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("corpus.txt");
    in_zoo(&["selftest", "--package", "zoo-real", "--write", written.to_str().unwrap()])
        .success()
        .stdout(contains("the box: outputs 23/23 equal (0 vary)"))
        .stdout(contains("the toolchain's server: outputs 23/23 equal"))
        .stdout(contains("inputs 23/23 equal").and(contains("23 of 23 calls recorded")))
        .stdout(contains("FAILED").not().and(contains("DIFFERS").not()));
    // The committed corpus is what this compiler gives, if it is the one that gave it.
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let (now, committed) = (read(&written), read(&zoo().join("corpus.txt")));
    match now.lines().next() == committed.lines().next() {
        true => {
            assert!(now == committed, "write zoo/corpus.txt anew: selftest -p zoo-real --write")
        }
        false => eprintln!("not compared: the corpus is of {:?}", committed.lines().next()),
    }
    // An operand of an invisible group stays one.
    in_zoo(&["expand", "--macro", "echo", "--package", "zoo-real"])
        .success()
        .stdout(contains("(1 + 2) * 2"));
    in_zoo(&["expand", "--macro", "Serialize", "--package", "zoo-real"])
        .success()
        .stdout(contains("// #[derive(Serialize)] at real/src/lib.rs:9"))
        .stderr(contains("3 calls of `Serialize`; 23 of 23 calls recorded"));
    // A name from `use .. as`, found by its place.
    in_zoo(&["expand", "--at", "real/src/lib.rs:9", "--package", "zoo-real"])
        .success()
        .stdout(contains("Deserialize").and(contains("Serialize")));
}

#[test]
fn the_corpus_is_replayed_in_both_servers() {
    let replay = |path: &str| in_zoo(&["selftest", "-p", "zoo-real", "--corpus", path]);
    let corpus = zoo().join("corpus.txt");
    let text = std::fs::read_to_string(&corpus).unwrap();
    let is_call = |line: &&str| line.starts_with(['d', 'a', 'f']) && line.contains(".rs:");
    let count = text.lines().filter(is_call).count();
    assert!(count >= 17, "{count} calls");
    replay(corpus.to_str().unwrap())
        .success()
        .stdout(contains(format!("the box: outputs {count}/{count} equal (0 vary)")))
        .stdout(contains(format!(
            "the toolchain's server: outputs {count}/{count} equal (0 vary)"
        )));
    // One token changed: both say so.
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("changed.txt");
    let changed_text = text.replacen("automatically_derived", "by_hand", 1);
    assert_ne!(changed_text, text);
    std::fs::write(&changed, changed_text).unwrap();
    replay(changed.to_str().unwrap())
        .code(1)
        .stdout(contains("`automatically_derived`, `by_hand` in the compiler"))
        .stdout(contains(format!("the toolchain's server: outputs {}/{count}", count - 1)));
    // Of another version of a macro crate nothing can be said.
    std::fs::write(&changed, text.replace("derive serde_derive 1.", "derive serde_derive 0."))
        .unwrap();
    replay(changed.to_str().unwrap())
        .code(2)
        .stderr(contains("record anew with `selftest --write`"));
}

/// A package in a folder of its own, and its macro crate if `macros` has one.
fn package(source: &str, dependency: &str) -> (tempfile::TempDir, impl Fn(&[&str]) -> Assert) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "caller", &format!("[dependencies]\n{dependency}\n[workspace]\n"), source);
    let (place, target) = (folder.path().join("caller"), folder.path().join("target"));
    let run = move |arguments: &[&str]| {
        let mut command = tool(arguments);
        command.current_dir(&place).env("CARGO_TARGET_DIR", &target).assert()
    };
    (folder, run)
}

fn write(folder: &Path, name: &str, more: &str, source: &str) {
    let manifest = format!("[package]\nname = {name:?}\nedition = \"2024\"\n{more}");
    std::fs::create_dir_all(folder.join(name).join("src")).unwrap();
    std::fs::write(folder.join(name).join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join(name).join("src/lib.rs"), source).unwrap();
}

#[test]
fn a_difference_in_either_server_fails_the_selftest() {
    let gentle = zoo().join("gentle");
    let source = "\u{feff}// größe\r\npub const AT: &str = tiny::place!(größe);\r\n";
    let dependency = format!("tiny = {{ package = \"zoo-gentle\", path = {gentle:?} }}");
    let (_folder, run) = package(source, &dependency);
    // The toolchain's server does not know lines and source text; the box does, whatever ends a line.
    run(&["selftest"])
        .code(1)
        .stdout(contains("the box: outputs 1/1 equal").and(contains("inputs 1/1 equal")))
        .stdout(contains("DIFFERS: place at src/lib.rs:2 in the toolchain's server"))
        .stdout(contains("the toolchain's server: outputs 0/1 equal"));
    // A dependency's new name is one.
    run(&["expand", "tiny::small!(1)"]).success().stdout(contains("pub fn answer"));
    run(&["expand", "--macro", "tiny::place"]).success().stdout(contains("größe"));
    run(&["expand", "other::small!(1)"]).code(2).stderr(contains("reached by `tiny::`"));
}

/// Names that only the compiler follows: through `use .. as`, modules and macros by example.
const RENAMED: &str = "
    use zoo_gentle::{Nested as Again, countdown, countdown as count, echo as same, noted as remark};
    mod inner { pub use zoo_gentle::echo as repeat; pub trait Last {} }
    use inner::Last;
    count!(2);
    same! { pub const A: u8 = same!(1 + 1) * 2; inner::repeat! { pub fn b() { inner::repeat!(); } } }
    #[derive(Clone, Again)] pub struct Outer { pub a: u8 }
    #[remark(x)] pub mod marked { use zoo_gentle::noted as z; #[z(in)] pub struct S; }
    macro_rules! twice { ($a:expr) => { [same!($a), same!($a + 1)] } }
    pub const TWICE: ([u8; 2], [u8; 2]) = (twice!(4), twice!(6));
    same!(pub const TEXT: &str = stringify!(same!(5)););
";

#[test]
fn names_resolve_as_rustc_does() {
    let dependency = format!("zoo-gentle = {{ path = {:?} }}", zoo().join("gentle"));
    let (_folder, run) = package(RENAMED, &dependency);
    let by = |name: &str| run(&["expand", "--macro", name, "--recursive"]);
    // Each name is the macro's, whose other calls are found by it too.
    by("count").success().stderr(contains("3 calls of `count`, which is `zoo_gentle::countdown`;"));
    by("Again").success().stderr(contains("2 calls of `Again`, which is `zoo_gentle::Nested`;"));
    for name in ["zoo_gentle::noted", "remark"] {
        by(name).success().stderr(contains("2 calls of").and(contains("16 of 16 calls recorded")));
    }
    // No call has this name: only `z`.
    by("marked::z").code(1).stderr(contains("; there are Again, count, "));
    let noted = by("z").success().stdout(contains("NOTE: &str = \"in\";").count(2));
    noted.stdout(contains("#[z").not());
    // What the compiler did not expand is named, and nothing else is left.
    let same = by("inner::repeat").code(1).stderr(contains("9 calls of `inner::repeat`, which is"));
    same.stdout(contains("pub const A: u8 = (1 + 1) * 2;").and(contains("repeat!").not()))
        .stdout(contains("same!").count(1).and(contains("stringify!(same!(5))")))
        .stderr(contains("error: not expanded: ").count(1))
        .stderr(contains("same!(5): in the arguments of another macro"));
    // A call given as text is one of the crate's by such a name too.
    run(&["expand", "count!(1)", "--recursive"])
        .success()
        .stdout("pub const AT_1: u8 = 1;\npub fn lift_off() {}\n");
    run(&["expand", "remark!(1)"]).code(2).stderr(contains("no procedural macro `remark` of this"));
    // By its place, told where there are calls.
    run(&["expand", "--at", "src/lib.rs:1"]).code(1).stderr(contains("; there are src/lib.rs:"));
}

#[test]
fn a_recording_that_cargo_may_answer_from_its_cache_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    let script = "#!/bin/sh\n[ \"$1\" != clean ] || { echo 'out of reach' >&2; exit 1; }\nexec cargo \"$@\"\n";
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for task in [&["check", "-p", "zoo-real"][..], &["list", "zoo-gentle", "-v"]] {
        let mut command = tool(task);
        command.arg("--manifest-path").arg(zoo().join("Cargo.toml")).env("CARGO", &cargo);
        command.assert().code(2).stderr(contains("cargo clean failed:\nout of reach"));
    }
}

#[test]
fn a_call_in_a_binary_is_found() {
    let dependency = format!("zoo-gentle = {{ path = {:?} }}", zoo().join("gentle"));
    let (folder, run) = package("pub const A: u8 = zoo_gentle::echo!(1);\n", &dependency);
    let binaries = folder.path().join("caller/src/bin");
    std::fs::create_dir(&binaries).unwrap();
    std::fs::write(binaries.join("one.rs"), "fn main() {}\n").unwrap();
    let other = "#[zoo_gentle::noted(b)]\nmod b {\n}\nfn main() {}\n";
    std::fs::write(binaries.join("other.rs"), other).unwrap();
    // In none but the last of the package's crates.
    run(&["expand", "--macro", "noted"])
        .success()
        .stdout(contains("// #[noted] at src/bin/other.rs:1"))
        .stderr(contains("1 calls of `noted`; 1 of 1 calls recorded"));
    run(&["profile", "--macro", "noted", "--repeat", "1"])
        .success()
        .stdout(contains("noted at src/bin/other.rs:1").and(contains("1 of 1 calls timed")));
    // From the file's own crate, and on a line of the item.
    run(&["expand", "--at", "src/bin/other.rs:3"]).success().stdout(contains("NOTE: &str = \"b\""));
    run(&["expand", "--macro", "noted", "--bin", "one"])
        .code(1)
        .stderr(contains("the package calls no procedural macros (calls in tests, examples"));
    run(&["expand", "--macro", "noted", "--bin", "no"]).code(2).stderr(contains("but one, other"));
    run(&["expand", "--macro", "nobody"])
        .code(1)
        .stderr(contains("zoo_gentle::echo, zoo_gentle::n"));
}

#[test]
fn each_call_of_a_line_has_its_own_last_time() {
    let dependency = format!("zoo-gentle = {{ path = {:?} }}", zoo().join("gentle"));
    let source = "macro_rules! both { ($a:ident, $b:ident) => { zoo_gentle::echo!(pub fn $a() {}); \
                  zoo_gentle::echo!(pub fn $b() {}); } }\nboth!(a, b); both!(c, d);\n";
    let (folder, run) = package(source, &dependency);
    let all = || run(&["expand", "--macro", "echo", "--diff"]).success();
    all().stdout(contains("this is the first time").count(4));
    all().stdout(contains("// no difference").count(4));
    // A call given as text is kept there too, and not where one stands.
    let (elsewhere, target) = (tempfile::tempdir().unwrap(), folder.path().join("target"));
    let mut command = tool(&["expand", "zoo_gentle::echo!(a)", "--diff", "--manifest-path"]);
    command.arg(folder.path().join("caller/Cargo.toml")).env("CARGO_TARGET_DIR", target);
    let again = command.current_dir(elsewhere.path());
    again.assert().success().stdout(contains("this is the first time"));
    again.assert().success().stdout(contains("// no difference"));
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_call_that_fails_is_counted_so() {
    let dependency = format!("zoo-gentle = {{ path = {:?} }}", zoo().join("gentle"));
    let (_folder, run) = package("zoo_gentle::panics!(a);\nzoo_gentle::echo!();\n", &dependency);
    run(&["expand", "--macro", "*"])
        .code(1)
        .stderr(contains("1 of 2 calls expanded, 1 failed").and(contains("does not compile")));
    run(&["expand", "--macro", "panics", "--json"])
        .code(1)
        .stdout(contains("\"at\": \"src/lib.rs:1\"").and(contains("panicked: on purpose: a")));
    run(&["profile", "--repeat", "1"])
        .code(1)
        .stdout(contains("1 of 2 calls timed"))
        .stderr(contains("error: panics at src/lib.rs:1: `panics` panicked"));
}

#[test]
fn calls_beyond_the_taps_are_listed_and_not_dropped() {
    let (mut macros, mut calls) = (String::new(), String::new());
    for number in 0..520 {
        macros += &format!(
            "#[proc_macro] pub fn m{number}(_: proc_macro::TokenStream) -> proc_macro::TokenStream \
             {{ proc_macro::TokenStream::new() }}\n"
        );
        calls += &format!("many::m{number}!{{}}\n");
    }
    let (folder, run) = package(&calls, "many = { path = \"../many\" }");
    write(folder.path(), "many", "[lib]\nproc-macro = true\n[workspace]\n", &macros);
    let listed = run(&["expand", "--macro", "*"]).success();
    listed
        .stderr(contains("512 of 520 calls expanded"))
        .stderr(contains(" at src/lib.rs:").count(8).and(contains("many::m519")));
    // What was not recorded was not checked.
    run(&["check", "--runs", "2"]).code(2).stderr(contains("calls that were not recorded"));
    run(&["selftest"]).code(1).stdout(contains("NOT RECORDED: ").count(8));
}
