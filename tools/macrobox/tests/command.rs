//! Each subcommand: what it prints, and its exit code.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use std::path::Path;

/// `cargo macrobox TASK ..` on the zoo.
fn macrobox(arguments: &[&str]) -> assert_cmd::assert::Assert {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.arg("macrobox").args(arguments).arg("--manifest-path").arg(zoo);
    command.timeout(std::time::Duration::from_secs(600)).assert()
}

fn expand(call: &str) -> assert_cmd::assert::Assert {
    macrobox(&["expand", call, "--package", "zoo-gentle"])
}

#[test]
fn list_names_every_macro() {
    let listed = macrobox(&["list", "zoo-gentle"]).success();
    listed
        .stdout(contains("derive     Named").and(contains("helpers: named")))
        .stdout(contains("attribute  noted").and(contains("function   echo")))
        .stdout(contains("zoo-gentle 0.1.0  rustc "));
    macrobox(&["list", "zoo-gentle", "--json"])
        .success()
        .stdout(contains("\"helpers\": [\n      \"named\""));
    macrobox(&["list", "no-such-package"]).code(2).stderr(contains("no-such-package"));
}

#[test]
fn expand_prints_laid_out_code() {
    expand("small!(40 + 2)").success().stdout("pub fn answer() -> i32 {\n    40 + 2\n}\n");
    expand("#[derive(Named)] struct Hello;").success().stdout(contains("\"Hello\""));
    expand("#[noted(a b)] struct Hello;").success().stdout(contains("NOTE: &str = \"a b\""));
}

#[test]
fn expand_keeps_every_kind_of_token() {
    let all = "echo! { const A: (u8, &[u8], u16) = (b'\\n', br#\"raw\"#, 0b1_u16); /* no */ \
               /// doc\n fn r#type<'a>(größe: &'a str) -> f64 { x.0.1 } }";
    expand(all)
        .success()
        .stdout(contains("(b'\\n', br#\"raw\"#, 0b1_u16)").and(contains("/// doc")))
        .stdout(contains("fn r#type<'a>(größe: &'a str)").and(contains("x.0.1")));
}

#[test]
fn complaints_point_into_the_input() {
    let at =
        "error: not this one\n --> <input>:1:11\n  |\n1 | complain!(oh no)\n  |           ^^\n";
    expand("complain!(oh no)").code(1).stderr(contains(at));
    expand("panics!(oh no)").code(1).stderr(contains("proc macro panicked: on purpose: oh no"));
}

#[test]
fn mistakes_are_named_with_their_remedy() {
    expand("nowhere!()")
        .code(2)
        .stderr(contains("no procedural macro `nowhere`").and(contains("--at")));
    expand("just text").code(2).stderr(contains("this is no macro call"));
    expand("echo!(").code(2).stderr(contains("line 1, column 6: unclosed delimiter"));
}

#[test]
fn json_tells_where_each_token_came_from() {
    let output = macrobox(&["expand", "small!(40)", "-p", "zoo-gentle", "--json"]).success();
    let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let tokens = value[0]["tokens"].as_array().unwrap();
    assert_eq!(tokens.last().unwrap()["from"]["start"], 7, "{value:#}");
    assert!(tokens[0]["from"].is_null(), "{value:#}");
}

#[test]
fn both_servers_agree() {
    let own = expand("#[derive(Named)] enum Both { A }").success();
    let toolchain =
        ["expand", "#[derive(Named)] enum Both { A }", "-p", "zoo-gentle", "--server", "toolchain"];
    macrobox(&toolchain).success().stdout(own.get_output().stdout.clone());
}

#[test]
fn recursive_leaves_no_call_of_the_macro() {
    expand("countdown!(3)").success().stdout(contains("AT_3").and(contains("countdown!(2)")));
    let all = |call: &str| macrobox(&["expand", call, "-p", "zoo-gentle", "--recursive"]);
    all("countdown!(3)")
        .success()
        .stdout(contains("AT_3").and(contains("AT_1")).and(contains("fn lift_off() {}")))
        .stdout(contains("countdown").not());
    all("forever!()").code(2).stderr(contains("still calls itself after 128 times"));
}

#[test]
fn a_call_comes_from_standard_input_too() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.args(["expand", "-", "-p", "zoo-gentle", "--manifest-path"]).arg(zoo);
    command.write_stdin("echo! {\n  a +\n  b\n}").assert().success().stdout("a + b\n");
}

#[test]
fn trace_shows_the_bridge() {
    macrobox(&["trace", "small!(1)", "-p", "zoo-gentle"]).success().stdout(
        contains("ts_from_str(\"pub fn answer() -> i32\",)").and(contains("ts_concat_trees")),
    );
}

#[test]
fn profile_sweeps_and_draws() {
    let folder = tempfile::tempdir().unwrap();
    let (svg, html) = (folder.path().join("a.svg"), folder.path().join("a.html"));
    let (svg, html) = (svg.to_str().unwrap(), html.to_str().unwrap());
    let sweep =
        ["profile", "generate!(1)", "-p", "zoo-gentle", "--sizes", "16,64,256", "--repeat", "1"];
    macrobox(&[&sweep[..], &["--svg", svg, "--html", html]].concat())
        .success()
        .stdout(contains("1536").and(contains("█")).and(contains("output as size^1.00")));
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg"));
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("made by the macro") && !page.contains("src=\"http"));
}

#[test]
fn the_crate_s_calls_are_the_compiler_s() {
    macrobox(&["selftest", "--package", "zoo-real"])
        .success()
        .stdout(contains("outputs 23/23 equal (0 vary); inputs 6/6 equal"))
        .stdout(contains("the toolchain's server: outputs 23/23 equal"))
        .stdout(contains("FAILED").not().and(contains("DIFFERS").not()));
    let all = ["expand", "--macro", "Serialize", "--package", "zoo-real"];
    macrobox(&all)
        .success()
        .stdout(contains("// #[derive(Serialize)] at real/src/lib.rs:9"))
        .stderr(contains("3 calls of `Serialize`; 23 of 23 calls recorded"));
    // A name from `use .. as`, found by its place.
    macrobox(&["expand", "--at", "real/src/lib.rs:9", "--package", "zoo-real"])
        .success()
        .stdout(contains("Deserialize").and(contains("Serialize")));
}

#[test]
fn the_server_speaks_rust_analyzer_s_protocol() {
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    let requests = "{\"ApiVersionCheck\":{}}\n{\"ListMacros\":{\"dylib_path\":\"/no/such.so\"}}\n";
    command
        .env("RUST_ANALYZER_INTERNALS_DO_NOT_USE", "1")
        .write_stdin(requests)
        .assert()
        .success()
        .stdout(contains("{\"ApiVersionCheck\":6}").and(contains("cannot be read")));
}
