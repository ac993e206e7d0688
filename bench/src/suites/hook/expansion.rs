// SPDX-License-Identifier: MIT OR Apache-2.0

//! What one expansion takes, inside the compiler: a throw-away macro crate that is made of the hook's
//! own sources and expands each function many times, with a clock.
//!
//! It is built as cargo builds a user's macros if not told otherwise: without optimisation, also in a
//! release build. And it is warm: the first expansion of a build, which also pages the macro in, is one
//! of many here.

use crate::measure::Spread;
use crate::{Result, portable};
use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ringback-hook/src");
const TIMES: usize = 101;

/// Microseconds of an expansion: of a function with ten arguments, and of one with 10,000 lines.
pub fn microseconds() -> Result<[Spread; 2]> {
    let folder = portable::cache()?.join("hook/expansion");
    let (macros, user) = (folder.join("macros"), folder.join("user"));
    fs::create_dir_all(macros.join("src"))?;
    fs::create_dir_all(user.join("src"))?;
    fs::write(
        folder.join("Cargo.toml"),
        "[workspace]\nmembers = [\"macros\", \"user\"]\nresolver = \"3\"\n",
    )?;
    fs::write(folder.join("Cargo.lock"), include_str!("../../../Cargo.lock"))?;
    fs::write(
        macros.join("Cargo.toml"),
        "[package]\nname = \"timed\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [lib]\nproc-macro = true\n[dependencies]\nproc-macro2 = \"1.0\"\nquote = \"1.0\"\n\
         syn = { version = \"3.0\", features = [\"full\"] }\n",
    )?;
    fs::write(macros.join("src/lib.rs"), timed_macro())?;
    fs::write(
        user.join("Cargo.toml"),
        "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\ntimed = { path = \"../macros\" }\n",
    )?;
    fs::write(user.join("src/lib.rs"), user_crate())?;
    let output = folder.join("microseconds");
    let _ = fs::remove_file(&output);
    let mut cargo: Command = portable::cargo();
    cargo.args(["check", "--release", "--quiet", "--package", "user", "--manifest-path"]);
    cargo.arg(folder.join("Cargo.toml")).arg("--target-dir").arg(folder.join("target"));
    cargo.env("EXPANSION_TIMES", &output).stdin(Stdio::null());
    let built = cargo.output()?;
    if !built.status.success() {
        let errors = String::from_utf8_lossy(&built.stderr).into_owned();
        return Err(format!("the timed macro does not build:\n{errors}").into());
    }
    let lines = fs::read_to_string(&output)?;
    let spreads: Vec<Spread> = lines
        .lines()
        .map(|line| {
            Ok(Spread::of(&line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?))
        })
        .collect::<Result<_>>()?;
    let [small, large] = spreads[..] else {
        return Err(format!("{} functions were timed, not 2", spreads.len()).into());
    };
    Ok([small, large])
}

/// The hook's own modules, with a clock around them.
fn timed_macro() -> String {
    let mut text = String::new();
    for module in
        ["arguments", "closure", "emit", "errors", "function", "options", "result", "tokens"]
    {
        let _ = writeln!(text, "#[path = \"{SOURCES}/{module}.rs\"]\nmod {module};");
    }
    let _ = write!(
        text,
        "#[path = \"{SOURCES}/lifetimes/mod.rs\"]\nmod lifetimes;
use proc_macro::TokenStream;
use std::{{io::Write, time::Instant}};

#[proc_macro_attribute]
pub fn hook(options: TokenStream, item: TokenStream) -> TokenStream {{
    let mut expanded = None;
    let mut times = Vec::new();
    for _ in 0..{TIMES} {{
        let (options, item) = (options.clone(), item.clone());
        let begin = Instant::now();
        expanded = Some(TokenStream::from(emit::attribute(options.into(), item.into())));
        times.push((begin.elapsed().as_nanos() as f64 / 1e3).to_string());
    }}
    let file = std::env::var_os(\"EXPANSION_TIMES\").expect(\"set by the suite\");
    let mut file = std::fs::File::options().create(true).append(true).open(file).expect(\"a file\");
    writeln!(file, \"{{}}\", times.join(\" \")).expect(\"it is written\");
    let _ = closure::expand as fn(_) -> _;
    expanded.expect(\"expanded at least once\")
}}
"
    );
    text
}

/// A function with ten arguments, and one with a long body.
fn user_crate() -> String {
    let mut text = String::from(
        "mod ringback { pub mod __private { pub use std::boxed::Box; } }\n\
         #[timed::hook(crate = crate::ringback)]\npub async fn ten(a: &str, b: &mut Vec<u8>, c: Option<&str>, d: &[&str], \
         e: Box<dyn Fn(&str) -> usize + Send + '_>, f: u8, (g, _): (u8, u8), h: &'static str, \
         mut i: u8, j: [u8; 4]) -> usize {\n    b.push(f + g + j[0]);\n    i += 1;\n    \
         a.len() + c.map_or(0, str::len) + d.len() + e(h) + usize::from(i)\n}\n\n\
         #[timed::hook(crate = crate::ringback)]\npub async fn long(mut a: u64) -> u64 {\n",
    );
    for line in 0..10_000 {
        let _ = writeln!(text, "    a = a.wrapping_mul({line}).wrapping_add(a >> 3);");
    }
    text += "    a\n}\n";
    text
}
