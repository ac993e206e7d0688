//! `check`: what a crate's macros touch, and whether their output varies.
//!
//! System calls are seen by seccomp's user notification, the environment and the clock by standing
//! before the C library's functions. A macro that makes raw system calls or reads `environ` itself
//! hides its reads of the environment and the clock: so the verdict is never "safe".

use super::BoxOptions;
use super::session::{Session, expander};
use crate::cargo::Selection;
use crate::{Call, Error, Library, Record, agree, record};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// One call as text; without it, every macro that the package's crate calls
    call: Option<String>,
    /// The package whose crate or dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package instead of its library
    #[arg(long)]
    bin: Option<String>,
    /// Fail if a macro does this: net, exec, fs-write, fs-read, env, clock, random, thread, system
    #[arg(long, value_delimiter = ',', value_parser = KINDS)]
    deny: Vec<String>,
    /// A file of lines `MACRO KIND` that are allowed in spite of --deny
    #[arg(long, value_name = "FILE")]
    allow_list: Option<PathBuf>,
    /// Runs, each in a newly started server, for the question of varying output
    #[arg(long, default_value_t = 16)]
    runs: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const KINDS: [&str; 9] =
    ["net", "exec", "fs-write", "fs-read", "env", "clock", "random", "thread", "system"];

/// What was found of one macro, over all its calls.
#[derive(Default)]
struct Finding {
    calls: usize,
    /// Kind and detail.
    touches: BTreeSet<(String, String)>,
    /// How the output differed, if it did.
    varies: Option<String>,
    failed: Option<String>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let allowed = read_allow_list(arguments.allow_list.as_deref())?;
    let mut session = Session::open(options)?;
    let package = arguments.package.as_deref();
    let mut findings: BTreeMap<String, Finding> = BTreeMap::new();
    if let Some(text) = &arguments.call {
        for (library, call) in session.written_calls(selection, package, "<input>", text)? {
            let finding = findings.entry(full_name(&library, &call.name)).or_default();
            look(&mut session, options, arguments, &library, &call, finding)?;
        }
    } else {
        let target = selection.target(package, arguments.bin.as_deref())?;
        let recording = record(&session.compiler, &target)?;
        let (environment, directory) = target.environment()?;
        session.in_package(environment, directory);
        for one in &recording.records {
            let library = Library::open(one.library.as_ref(), &session.compiler)?;
            let finding = findings.entry(full_name(&library, &one.name)).or_default();
            let call = Record::call(one, &recording.root);
            look(&mut session, options, arguments, &library, &call, finding)?;
        }
    }
    let denied = report(&findings, arguments, &allowed);
    Ok(denied == 0)
}

/// `serde_derive::Serialize`, from the library's file name.
fn full_name(library: &Library, name: &str) -> String {
    let file = library.path().file_stem().unwrap_or_default().to_string_lossy();
    let file = file.trim_start_matches("lib");
    let package = file.rsplit_once('-').map_or(file, |(package, _)| package);
    format!("{package}::{name}")
}

fn look(
    session: &mut Session,
    options: &BoxOptions,
    arguments: &Arguments,
    library: &Library,
    call: &Call,
    finding: &mut Finding,
) -> Result<(), Error> {
    finding.calls += 1;
    session.expander.options().watch.touches = true;
    let first = match session.expander.expand(library, call) {
        Ok(first) => first,
        Err(error) if error.failure().is_some() => {
            finding.failed = Some(error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for line in &first.touches {
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let (name, detail) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let refused = fields.next() == Some("refused");
        // A stat without a path is of an open file.
        let of_open_file = kind == "fs-read" && detail.is_empty();
        if !is_loading(detail, library) && !of_open_file {
            let verdict = if refused { ", refused" } else { "" };
            finding.touches.insert((kind.into(), format!("{name} {detail}{verdict}")));
        }
    }
    for line in &first.tracked {
        let (kind, detail) = line.split_once(' ').unwrap_or((line, ""));
        if KINDS.contains(&kind) && !is_our_own(kind, detail) {
            finding.touches.insert((kind.into(), detail.into()));
        }
    }
    // A static that lives on shows within one process; addresses, seeds and the process number
    // only between newly started ones, since forks share them.
    for again in session.expander.expand_repeated(library, call, 3)? {
        if differs(&first.stream, &again?.stream, finding, "within one process") {
            return Ok(());
        }
    }
    for run in 1..arguments.runs {
        let mut fresh = expander(&session.compiler, options)?;
        let chosen = session.expander.options().clone();
        fresh.options().environment = chosen.environment.clone();
        fresh.options().directory = chosen.directory;
        // What nothing should depend on is another each time.
        fresh.options().environment.push((format!("MACROBOX_RUN_{run}"), run.to_string()));
        let again = fresh.expand(library, call)?;
        if differs(&first.stream, &again.stream, finding, "from process to process") {
            return Ok(());
        }
    }
    Ok(())
}

fn differs(one: &crate::Stream, other: &crate::Stream, finding: &mut Finding, when: &str) -> bool {
    let Some((before, after)) = agree::first_difference(one, other) else { return false };
    finding.varies = Some(format!("{when}: `{before}`, then `{after}`"));
    true
}

/// The loader's own work, before any code of the macro's: its library, and those it needs.
fn is_loading(path: &str, library: &Library) -> bool {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    path == library.path().to_string_lossy()
        || path.starts_with("/etc/ld.so")
        || name.starts_with("lib") && name.contains(".so")
        || path.contains("glibc-hwcaps")
}

/// What std reads on the macro's behalf, and the clock by which the server times the macro.
fn is_our_own(kind: &str, detail: &str) -> bool {
    (kind == "clock" && detail == "1")
        || (kind == "env" && ["RUST_BACKTRACE", "RUST_MIN_STACK"].contains(&detail))
}

fn read_allow_list(path: Option<&Path>) -> Result<BTreeSet<(String, String)>, Error> {
    let Some(path) = path else { return Ok(BTreeSet::new()) };
    let text = std::fs::read_to_string(path)
        .map_err(Error::io(format!("reading the allow-list {}", path.display())))?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let mut allowed = BTreeSet::new();
    for line in lines.filter(|line| !line.is_empty()) {
        match line.split_once(char::is_whitespace) {
            Some((name, kind)) if KINDS.contains(&kind.trim()) => {
                allowed.insert((name.to_owned(), kind.trim().to_owned()));
            }
            _ => {
                let message = format!("the allow-list's line `{line}` is not `MACRO KIND`");
                return Err(Error::Name(message));
            }
        }
    }
    Ok(allowed)
}

/// Prints the findings; how many are denied.
fn report(
    findings: &BTreeMap<String, Finding>,
    arguments: &Arguments,
    allowed: &BTreeSet<(String, String)>,
) -> usize {
    let mut denied = 0;
    let mut rows = Vec::new();
    for (name, finding) in findings {
        let verdict = match (&finding.failed, &finding.varies) {
            (Some(why), _) => format!("failed: {why}"),
            (None, Some(how)) => format!("output varies {how}"),
            (None, None) => "no difference found".into(),
        };
        if !arguments.json {
            println!("{name}: {} calls, {verdict}", finding.calls);
        }
        for (kind, detail) in &finding.touches {
            let refused =
                arguments.deny.contains(kind) && !allowed.contains(&(name.clone(), kind.clone()));
            denied += usize::from(refused);
            if !arguments.json {
                println!("  {}{kind}: {detail}", if refused { "DENIED " } else { "" });
            }
        }
        let touches: Vec<_> = finding.touches.iter().collect();
        rows.push(serde_json::json!({
            "macro": name, "calls": finding.calls, "touches": touches,
            "varies": finding.varies, "failed": finding.failed,
        }));
    }
    if arguments.json {
        println!("{:#}", serde_json::Value::Array(rows));
        return denied;
    }
    let missed = 0.5_f64.powi(arguments.runs.saturating_sub(1) as i32);
    println!(
        "\n{} runs in processes of their own: a difference that shows in half of all runs is missed \
         with probability {missed:.6}. Raw system calls and direct reads of `environ` or the vDSO's \
         clock go unseen. `cargo build` itself runs these macros unboxed.",
        arguments.runs
    );
    if denied > 0 {
        eprintln!(
            "error: {denied} denied: remove the macro, or add `MACRO KIND` to the --allow-list"
        );
    }
    denied
}
