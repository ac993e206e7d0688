// SPDX-License-Identifier: MIT OR Apache-2.0

//! What 1,000 to 10,000 callback functions cost to generate: by a procedural macro that prints them,
//! by a declarative macro over names that a build script wrote, and by a pool of ringback's.
//!
//! Each program sets a listener on every callback, calls each once and adds up the answers, which
//! are looked at. The compiler is run alone, without cargo, on a debug build: what one waits for.

use crate::figure::{Figure, Limit, Spread};
use crate::zoo_selection;
use cargo_metadata::Message;
use macrobox::chart::{self, Series};
use macrobox::{Call, Compiler, Error, Expander, Expansion, Kind, Library, Options};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const SIZES: [usize; 4] = [1_000, 2_000, 5_000, 10_000];
const ROUNDS: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Printed,
    Declared,
    Pool,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Printed, "procedural macro that prints"),
    (Way::Declared, "declarative macro and build script"),
    (Way::Pool, "ringback's pool"),
];

/// A listener on each, one call of each, and the sum of the answers.
const USE: &str = "fn main() {
    for (index, (_, listener)) in CALLBACKS.iter().enumerate() {
        *listener.lock().unwrap() = Some(Box::new(move |code| code + index as i32));
    }
    let sum: i64 = CALLBACKS.iter().map(|(callback, _)| i64::from(callback(1))).sum();
    println!(\"{sum}\");
}
";

fn source(way: Way, size: usize) -> String {
    match way {
        Way::Printed => format!("zoo_gentle::callbacks!({size});\n{USE}"),
        Way::Declared => {
            let mut names = String::new();
            for index in 0..size {
                let _ = writeln!(names, "    callback_{index} LISTENER_{index},");
            }
            format!(
                "type Listener = std::sync::Mutex<Option<Box<dyn FnMut(i32) -> i32 + Send>>>;
fn call(listener: &Listener, code: i32) -> i32 {{
    listener.lock().unwrap().as_mut().map_or(-1, |listener| listener(code))
}}
macro_rules! callbacks {{
    ($($name:ident $listener:ident,)*) => {{
        $(static $listener: Listener = std::sync::Mutex::new(None);
        extern \"C\" fn $name(code: i32) -> i32 {{ call(&$listener, code) }})*
        static CALLBACKS: [(extern \"C\" fn(i32) -> i32, &Listener); {size}] = [$(($name, &$listener),)*];
    }};
}}
callbacks! {{\n{names}}}\n{USE}"
            )
        }
        Way::Pool => format!(
            "ringback::callback_pool! {{
    static CALLBACKS: Pool<unsafe extern \"C\" fn(code: i32) -> i32, {size}>;
    fallback = -1;
}}
fn main() {{
    let each = (0..{size}).map(|index| CALLBACKS.register(move |code| code + index).unwrap());
    let all: Vec<_> = each.collect();
    // SAFETY: a registered callback that any thread may call.
    let sum: i64 = all.iter().map(|one| i64::from(unsafe {{ one.as_fn()(1) }})).sum();
    println!(\"{{sum}}\");
}}
"
        ),
    }
}

/// Where the libraries lie that the programs use.
struct Parts {
    gentle: PathBuf,
    ringback: PathBuf,
}

fn parts() -> Result<Parts, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../Cargo.toml");
    Ok(Parts {
        gentle: built(&zoo_selection().manifest_path.unwrap_or_default(), "zoo-gentle", "so")?,
        ringback: built(&root, "ringback", "rlib")?,
    })
}

/// The library with this extension that cargo builds of `package`.
fn built(manifest: &Path, package: &str, extension: &str) -> Result<PathBuf, Error> {
    let mut build = Command::new("cargo");
    build.args(["build", "-q", "--message-format=json", "-p", package, "--manifest-path"]);
    build.arg(manifest).stderr(Stdio::inherit());
    let output = build.output().map_err(Error::io("starting cargo build"))?;
    let found = Message::parse_stream(&output.stdout[..]).flatten().find_map(|message| {
        let Message::CompilerArtifact(artifact) = message else { return None };
        let own = artifact.target.name == package.replace('-', "_");
        let mut files = artifact.filenames.into_iter();
        files.find(|path| own && path.extension() == Some(extension))
    });
    let found = found.ok_or_else(|| Error::Cargo(format!("cargo did not build {package}")))?;
    Ok(found.into())
}

/// What one compilation took and made.
#[derive(Clone, Copy, Default)]
struct Built {
    seconds: f64,
    megabytes: f64,
    program_kilobytes: f64,
}

struct Workshop {
    folder: tempfile::TempDir,
    parts: Parts,
}

impl Workshop {
    fn compile(&self, way: Way, size: usize) -> Result<Built, Error> {
        let folder = self.folder.path();
        let (file, program) = (folder.join("main.rs"), folder.join("program"));
        std::fs::write(&file, source(way, size)).map_err(Error::io("writing a program"))?;
        let Parts { gentle, ringback } = &self.parts;
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition=2024", "-Awarnings", "-Copt-level=0", "-Cdebuginfo=1"]);
        match way {
            Way::Printed => rustc.arg("--extern").arg(format!("zoo_gentle={}", gentle.display())),
            Way::Declared => &mut rustc,
            Way::Pool => rustc.arg("--extern").arg(format!("ringback={}", ringback.display())),
        };
        let dependencies = ringback.parent().unwrap_or(folder).join("deps");
        rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
        rustc.arg("-o").arg(&program).arg(&file);
        let start = Instant::now();
        let child = rustc.spawn().map_err(Error::io("starting rustc"))?;
        let mut status = 0;
        // SAFETY: zero is a value of a struct of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: our own child, waited for once; the kernel fills both places.
        let waited = unsafe { libc::wait4(child.id().cast_signed(), &mut status, 0, &mut usage) };
        let seconds = start.elapsed().as_secs_f64();
        if waited < 0 || status != 0 {
            return Err(Error::Cargo(format!("rustc failed on {}", file.display())));
        }
        let output = Command::new(&program).output().map_err(Error::io("running a program"))?;
        let sum = (0..size as i64).map(|index| index + 1).sum::<i64>();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), sum.to_string());
        let length = std::fs::metadata(&program).map_or(0, |known| known.len());
        Ok(Built {
            seconds,
            megabytes: usage.ru_maxrss as f64 / 1024.0,
            program_kilobytes: length as f64 / 1024.0,
        })
    }
}

/// The macro alone, in the box: none where the compiler itself expands.
fn expansion(
    expander: &mut Expander,
    compiler: &Compiler,
    way: Way,
    size: usize,
) -> Result<Option<Expansion>, Error> {
    let (package, name, text) = match way {
        Way::Declared => return Ok(None),
        Way::Printed => ("zoo-gentle", "callbacks", size.to_string()),
        Way::Pool => {
            let source = source(way, size);
            let inside = source.split(['{', '}']).nth(1).unwrap_or_default();
            ("ringback-macros", "parse_pool", format!("[::ringback] {inside}"))
        }
    };
    let crates = zoo_selection().macro_crates(Some("zoo-real"))?;
    let own = crates.iter().find(|one| one.package == package);
    let own = own.ok_or_else(|| Error::Name(format!("no {package} in the zoo")))?;
    let library: Library = own.library(compiler)?;
    let call = Call::from_source(Kind::Function, name, &text)?;
    let mut best = expander.expand(&library, &call)?;
    for _ in 1..5 {
        let next = expander.expand(&library, &call)?;
        if next.time < best.time {
            best = next;
        }
    }
    Ok(Some(best))
}

pub fn suite(write: bool) -> Result<Vec<Figure>, Error> {
    let compiler = Compiler::current()?;
    let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
    let workshop = Workshop { folder, parts: parts()? };
    let mut expander = Expander::new(&compiler, Options::default())?;
    let mut table = String::from(
        "| way | functions | macro, ms | its output, tokens | rustc, s | rustc, MB | program, KB |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut series: Vec<Series> = WAYS
        .iter()
        .map(|(_, name)| Series { name: Some((*name).into()), points: Vec::new() })
        .collect();
    let mut figures = Vec::new();
    for size in SIZES {
        let mut samples = [const { Vec::new() }; WAYS.len()];
        for _ in 0..ROUNDS {
            for (samples, (way, _)) in samples.iter_mut().zip(WAYS) {
                samples.push(workshop.compile(way, size)?);
            }
        }
        for (index, (way, name)) in WAYS.into_iter().enumerate() {
            let seconds = Spread::of(samples[index].iter().map(|one| one.seconds).collect());
            let one = samples[index][0];
            let (time, tokens) = match expansion(&mut expander, &compiler, way, size)? {
                Some(one) => {
                    (format!("{:.2}", one.time.as_secs_f64() * 1e3), one.stream.count().to_string())
                }
                None => ("in rustc".into(), "in rustc".into()),
            };
            let _ = writeln!(
                table,
                "| {name} | {size} | {time} | {tokens} | {:.2} | {:.0} | {:.0} |",
                seconds.median, one.megabytes, one.program_kilobytes
            );
            series[index].points.push((size as f64, seconds.median, String::new()));
        }
        if size == 10_000 {
            for (index, name) in [(0, "printed_over_pool"), (1, "declared_over_pool")] {
                let pairs = samples[index].iter().zip(&samples[2]);
                let ratios = pairs.map(|(one, pool)| one.seconds / pool.seconds).collect();
                let meaning = "rustc's seconds for 10,000 functions, over the pool's";
                figures.push(Figure::new(name, Spread::of(ratios), Limit::None, meaning));
            }
        }
    }
    let grows = series.iter().map(|one| {
        let points: Vec<_> = one.points.iter().map(|point| (point.0, point.1)).collect();
        let exponent = chart::exponent(&points).unwrap_or(f64::NAN);
        format!(
            "* {}: rustc's time grows as size^{exponent:.2}\n",
            one.name.as_deref().unwrap_or("")
        )
    });
    let report = format!("{table}\n{}", grows.collect::<String>());
    println!("{report}");
    if write {
        keep(&compiler, &report, &series)?;
    }
    Ok(figures)
}

fn keep(compiler: &Compiler, report: &str, series: &[Series]) -> Result<(), Error> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = format!(
        "# Thousands of callback functions: generated, or from a pool\n\n\
         Written by `cargo run --release --manifest-path tools/macrobox/bench/Cargo.toml -- callbacks \
         --write`, with {}.\n\n\
         Three programs of the same use: a listener on every callback, one call of each. The procedural \
         macro prints one `extern \"C\"` function and one lock for each and parses the text; the \
         declarative macro makes the same from a list of names that a build script wrote; the pool is \
         `ringback::callback_pool!`. rustc runs alone on a debug build, in turns, {ROUNDS} times: the \
         median. The macro's own time and output are those of the box.\n\n\
         ![rustc's time by the number of functions](callbacks.svg)\n\n{report}",
        compiler.version()
    );
    let svg = chart::svg("rustc's time by the number of callback functions", "s", series);
    let written = std::fs::write(docs.join("callbacks.md"), text.trim_end().to_owned() + "\n")
        .and_then(|()| std::fs::write(docs.join("callbacks.svg"), svg));
    written.map_err(Error::io("writing the report"))?;
    println!("wrote {}\n", docs.join("callbacks.md").display());
    Ok(())
}
