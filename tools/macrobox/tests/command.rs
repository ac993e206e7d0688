// SPDX-License-Identifier: MIT OR Apache-2.0

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
    // From some version on, after 1.97, libraries do not tell helpers: null is not none.
    let version = std::process::Command::new("rustc").arg("-V").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    let (words, json) = match minor {
        ..=97 => ("  helpers: named\n", "\"helpers\": [\n      \"named\""),
        _ => ("\n", "\"helpers\": null"),
    };
    let listed = macrobox(&["list", "zoo-gentle"]).success();
    let named = version.trim_end().to_owned() + words;
    listed
        .stdout(contains("derive     Named").and(contains(named)))
        .stdout(contains("attribute  noted").and(contains("function   echo")))
        .stdout(contains("zoo-gentle 0.1.0  rustc "));
    macrobox(&["list", "zoo-gentle", "--json"]).success().stdout(contains(json));
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
        .stderr(contains("no procedural macro `nowhere`").and(contains("macrobox list")));
    expand("just text").code(2).stderr(contains("this is no macro call"));
    macrobox(&["trace", "real/src/lib.rs:9", "-p", "zoo-real"])
        .code(2)
        .stderr(contains("this is no macro call").and(contains("with `--at FILE:LINE`")));
    for call in ["#[derive()] struct S { a: u8 }", "#[derive(,)] struct S { a: u8 }"] {
        expand(call).code(2).stderr(contains("this is no macro call"));
        macrobox(&["profile", call, "-p", "zoo-gentle"]).code(2).stderr(contains("no macro call"));
    }
    // Known before anything is built.
    for (options, said) in [
        (&["--at", "nonsense"][..], "write it as FILE:LINE"),
        (&["echo!(a)", "--json", "--diff"], "cannot be used with"),
        (&["echo!(a)", "--json", "--against", "."], "cannot be used with"),
        (&["echo!(a)", "--diff", "--against", "."], "cannot be used with"),
        (&["echo!(a)", "--bin", "one"], "cannot be used with"),
        (&["echo!(a)", "--timeout", "0"], "0 is not in 1.."),
        (&["echo!(a)", "--memory", "17592186044417"], "is not in 1.."),
    ] {
        let arguments = [&["expand", "-p", "no-such-package"], options].concat();
        macrobox(&arguments).code(2).stderr(contains(said));
    }
    expand("echo!(").code(2).stderr(contains("line 1, column 6: unclosed delimiter"));
}

#[test]
fn json_tells_where_each_token_came_from() {
    let output = macrobox(&["expand", "small!(40)", "-p", "zoo-gentle", "--json"]).success();
    let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let tokens = value[0]["tokens"].as_array().unwrap();
    assert_eq!(tokens.last().unwrap()["from"]["start"], 7, "{value:#}");
    assert!(tokens[0]["from"].is_null(), "{value:#}");
    // A failure too has its place.
    let output = macrobox(&["expand", "--macro", "panics", "-p", "zoo-real", "--json"]).code(1);
    assert_eq!(output.get_output().stdout, b"[]\n");
    let output = macrobox(&["expand", "panics!(1)", "-p", "zoo-gentle", "--json"]).code(1);
    let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert!(value[0]["error"].as_str().unwrap().contains("on purpose: 1"), "{value:#}");
    assert!(value[0]["diagnostics"].as_array().unwrap().is_empty(), "{value:#}");
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
    // As many calls beside one another as there are.
    let many = "echo!(a); ".repeat(200);
    all(&format!("echo! {{ fn f() {{ {many} }} }}")).success().stdout(contains("echo").not());
    // An operand stays one, and a call by its crate's path is the same macro.
    all("echo! { pub fn f() -> u8 { let x = ::zoo_gentle::echo!(1 + 1) * 2; x } }")
        .success()
        .stdout(contains("let x = (1 + 1) * 2;").and(contains("gentle").not()));
    all("#[noted(a)] mod inner { #[doc(hidden)] #[noted(b)] pub struct S(u8); fn after() {} }")
        .success()
        .stdout(contains(
            "#[doc(hidden)]\n    pub struct S(u8);\n    pub const NOTE: &str = \"b\";",
        ))
        .stdout(contains("fn after() {}").and(contains("#[noted").not()));
    // By whatever name a `use` gives it, at any depth.
    all("echo! { use zoo_gentle::{small, echo as other}; pub fn f() { other!(g(other!(1))); } }")
        .success()
        .stdout(contains("g(1);").and(contains("other!").not()));
    all("#[derive(Nested)] struct Outer;")
        .success()
        .stdout(contains("#[derive(Clone, Copy)]").and(contains("impl Last for Inner {}")))
        .stdout(contains("pub struct Inner").count(1));
}

#[test]
fn what_recursion_leaves_is_named() {
    let all = |call: &str| macrobox(&["expand", call, "-p", "zoo-gentle", "--recursive"]);
    // The others are expanded, and the one that fails stays.
    all("halting!()")
        .code(1)
        .stdout(contains("A: u8 = (1 + 1);"))
        .stdout(contains("B: u8 = halting!(no);").and(contains("C: u8 = (3 + 1) * 2;")))
        .stderr(contains("not expanded: halting!(no): `halting` panicked: an integer"));
    all("echo! { nonsense::echo!(1); }")
        .code(1)
        .stdout(contains("nonsense::echo!(1)"))
        .stderr(contains("`nonsense::echo` does not lead to zoo_gentle"));
    all("echo! { const S: &str = stringify!(echo!(a)); }")
        .code(1)
        .stdout(contains("stringify!(echo!(a))"))
        .stderr(contains("echo!(a): in the arguments of another macro"));
    // The others on the item are expanded.
    all(
        "#[noted(a)] mod inner { #[cfg_attr(all(), doc(hidden), zoo_gentle::noted(b))] #[noted(c)] \
         struct S; }",
    )
    .code(1)
    .stdout(contains("zoo_gentle::noted(b)").and(contains("NOTE: &str = \"c\"")))
    .stderr(contains("not expanded: #[zoo_gentle::noted] ").and(contains("under `cfg_attr`")));
    all("forever!()")
        .code(1)
        .stdout(contains("forever!()"))
        .stderr(contains("forever!(): it still calls itself after 128 times"));
    all("burrows!(400)").code(1).stderr(contains("nested deeper than 500"));
    let json = macrobox(&["expand", "forever!()", "-p", "zoo-gentle", "--recursive", "--json"]);
    json.code(1).stdout(contains("\"not_expanded\": [\n      \"forever!(): it still"));
}

#[test]
fn names_resolve_as_cargo_does() {
    let real = |call: &str| macrobox(&["expand", call, "-p", "zoo-real"]);
    // `tokio` hands it on from `tokio-macros`.
    real("#[tokio::main(flavor = \"current_thread\")] async fn f() {}")
        .success()
        .stdout(contains("tokio::runtime::Builder"));
    real("nonsense::small!(1)").code(2).stdout("").stderr(
        contains("no procedural macro `nonsense::small`")
            .and(contains("reached by `zoo_gentle::`")),
    );
    // Not every crate whose name begins so.
    let by = |name: &str| macrobox(&["expand", "--macro", name, "-p", "zoo-real"]);
    by("zoo::echo").code(1).stderr(contains("no such call was expanded; there are"));
    by("serde::Serialize").success().stderr(contains("3 calls of `serde::Serialize`"));
}

#[test]
fn a_place_is_named_from_here_or_wherever() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo");
    let at = |place: &str| {
        let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
        let arguments = ["expand", "-p", "zoo-real", "--at", place];
        command.args(arguments).current_dir(&zoo).assert()
    };
    let whole = zoo.join("real/src/lib.rs:9");
    for place in ["./real/src/lib.rs:9", "src/lib.rs:9:1", whole.to_str().unwrap()] {
        at(place).success().stdout(contains("at real/src/lib.rs:9"));
    }
    // On a line of an item, its attributes and derives: of the field, those of the struct.
    at("src/lib.rs:17").success().stdout(contains("// #[derive(").count(2).and(contains("rs:9")));
    at("al/src/lib.rs:9").code(1).stderr(contains("no such call was expanded"));
}

#[test]
fn what_is_nested_too_deep_is_named_so() {
    expand("deep!(500)").success();
    expand("deep!(501)")
        .code(1)
        .stderr(contains("`deep` gave an output whose groups are nested deeper than 500"));
    // An expression too long to be laid out is printed as it came.
    expand("negates!(1000000)").success().stdout(contains("! ! !").or(contains("!!!!")));
    let input = "[".repeat(501) + &"]".repeat(501);
    expand(&format!("echo!({input})"))
        .code(2)
        .stderr(contains("the call's groups are nested deeper"));
}

#[test]
fn the_help_says_what_stays_unboxed() {
    macrobox(&["--help"]).success().stdout(
        contains("`cargo build` itself stays as it is")
            .and(contains("`check`, `profile`, `selftest` and `expand --macro` or `--at`"))
            .and(contains("`trace --at` and `debug --at`").and(contains("runs its own macros too")))
            .and(contains("None of these compilations has a time limit")),
    );
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
    // What it complains of, and what it prints.
    macrobox(&["trace", "complain!(oh no)", "-p", "zoo-gentle"])
        .code(1)
        .stderr(contains("error: not this one\n --> <input>:1:11"));
    macrobox(&["trace", "forges!()", "-p", "zoo-hostile"])
        .success()
        .stderr(contains("ExpandMacro"));
    macrobox(&["expand", "forges!()", "-p", "zoo-hostile"])
        .success()
        .stdout("\"\\\"printed\\\"\"\n")
        .stderr(contains("ExpandMacro"));
    // What came before a panic is what one looks for.
    macrobox(&["trace", "panics!(oh no)", "-p", "zoo-gentle"])
        .code(1)
        .stdout(contains("ts_to_string"))
        .stderr(contains("calls over the bridge, then: `panics` panicked: on purpose"));
    // Nor does a macro that dies take it along.
    macrobox(&["trace", "aborts!(a b)", "-p", "zoo-hostile"])
        .code(1)
        .stdout(contains("ts_is_empty").and(contains("2 tokens: a b")))
        .stderr(contains("1 calls over the bridge, then: `aborts` was ended by signal 6"));
    // By its place: every derive there, each under its name.
    let at = |place: &str| macrobox(&["trace", "--at", place, "-p", "zoo-real"]);
    at("real/src/lib.rs:9")
        .success()
        .stdout(contains("// #[derive(").count(2))
        .stdout(contains("// #[derive(Serialize)] at real/src/lib.rs:9\nts_"))
        .stderr(contains(" calls over the bridge\n").count(2));
    at("real/src/lib.rs:1")
        .code(1)
        .stdout("")
        .stderr(contains("no such call was expanded; there are real/src/lib.rs:9, "));
    macrobox(&["trace", "small!(1)", "--at", "real/src/lib.rs:9"]).code(2);
    macrobox(&["trace"]).code(2).stderr(contains("<CALL|--at FILE:LINE>"));
}

#[test]
fn the_limit_of_memory_fits_the_machine_and_is_told() {
    let told = |more: &[&str]| {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/zoo/corpus.txt");
        let arguments = ["selftest", "-p", "zoo-real", "--corpus", corpus];
        let output = macrobox(&[&arguments[..], more].concat()).success();
        let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
        let before = text.split(" MB of memory").next().unwrap();
        before.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let machine = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = machine.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
    let total: u64 = total.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    let (limit, half) = (told(&[]), total / 1024 / 2);
    assert!((256..=4096).contains(&limit), "{limit}");
    assert!(limit <= half.max(256), "{limit} MB of {half}");
    // The least that is ever chosen is enough for what people use.
    assert_eq!(told(&["--memory", "256"]), 256);
    macrobox(&["expand", "memory!()", "-p", "zoo-hostile", "--memory", "300"])
        .code(1)
        .stderr(contains("`memory` used up its memory limit of 300 MB (--memory)"));
}

#[test]
fn a_sweep_whose_macro_fails_keeps_the_sizes_that_it_timed() {
    let sweep = |sizes| {
        macrobox(&["profile", "deep!(1)", "-p", "zoo-gentle", "--repeat", "1", "--sizes", sizes])
    };
    let failed =
        sweep("2,600,9").code(1).stderr(contains("error: size 600: `deep` gave an output"));
    failed
        .stdout(contains("log time").and(predicates::str::is_match(r"(?m)^ +2 .*\n +9 ").unwrap()));
    sweep("600").code(1).stdout("").stderr(contains("size 600"));
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
    // Fields grow whole, whatever stands in them; a curve without a sweep would be empty.
    let fields =
        "#[derive(Named)] struct S<T, U> { #[named] pub(crate) a: Map<T, (T, U)>, pub b: U }";
    macrobox(&["profile", fields, "-p", "zoo-gentle", "--sizes", "1,2,9", "--repeat", "1"])
        .success()
        .stdout(contains("output as size^0.00"));
    // Over a crate's calls: each macro, and each call.
    macrobox(&["profile", "--macro", "echo", "-p", "zoo-real", "--repeat", "1"])
        .success()
        .stdout(
            contains("zoo_gentle::echo      2").and(contains("tokens  echo at real/src/lib.rs")),
        )
        .stdout(contains("2 of 23 calls timed"));
    // No empty table.
    let drawn = std::fs::read(html).unwrap();
    macrobox(&["profile", "--macro", "nobody", "-p", "zoo-real", "--html", html])
        .code(1)
        .stdout("")
        .stderr(contains("no such call was expanded; there are").and(contains("zoo_gentle::echo")));
    assert_eq!(std::fs::read(html).unwrap(), drawn);
    macrobox(&["profile", "--macro", "echo", "-p", "zoo-real", "--svg", svg])
        .code(2)
        .stderr(contains("<CALL>"));
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
