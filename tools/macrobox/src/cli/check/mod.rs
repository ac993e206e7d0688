// SPDX-License-Identifier: MIT OR Apache-2.0

//! `check`: what macros touch, and whether their output varies.
//!
//! System calls are seen by seccomp's user notification, the environment, the clock and random
//! numbers by standing before the C library's functions. A macro that makes raw system calls or
//! reads `environ` itself hides its reads of the environment and the clock: so the verdict is never
//! "safe".

mod allowed;
mod load;
mod vary;

use super::BoxOptions;
use super::session::{Session, count};
use crate::cargo::Selection;
use crate::{Call, Error, Expansion, Library, Options, Record, Recording, Stream};
use allowed::Allowed;
use load::Uncalled;
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
    #[arg(long, conflicts_with = "call")]
    bin: Option<String>,
    /// Every macro of the lock file that `cargo check --workspace` builds, by the calls of all crates in
    /// it; the lock file's other macro crates are listed as unbuilt
    #[arg(long, conflicts_with_all = ["call", "bin"])]
    all: bool,
    /// Fail if a macro does this: net, exec, fs-write, fs-read, env, clock, random, thread, system,
    /// varies (its output does); with --all, unbuilt: a macro crate of the lock file is not built here
    #[arg(long, value_delimiter = ',', value_parser = KINDS)]
    deny: Vec<String>,
    /// A file of lines `MACRO KIND` (and `CRATE unbuilt`) that are allowed in spite of --deny, and by
    /// the box
    #[arg(long, value_name = "FILE")]
    allow_list: Option<PathBuf>,
    /// Runs, each in a newly started server, for the question of varying output; all calls of a crate to
    /// one library are run twice in one process besides
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..))]
    runs: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a macro may be denied. `fails` may only be allowed: a macro that does not run in the box
/// was not checked.
const KINDS: [&str; 11] = [
    "net", "exec", "fs-write", "fs-read", "env", "clock", "random", "thread", "system", "varies",
    UNBUILT,
];
const FAILS: &str = "fails";
/// Of a macro crate of the lock file, and of no macro: nothing is known of it.
const UNBUILT: &str = "unbuilt";

/// One call, with what the compiler gave to its macro.
struct Case {
    /// `serde_derive::Serialize`
    name: String,
    library: Library,
    call: Call,
    /// None: a call given as text.
    record: Option<Record>,
    /// Its first output; none if it failed.
    output: Option<Stream>,
}

impl Case {
    fn new(library: Library, call: Call, record: Option<Record>) -> Self {
        let name = format!("{}::{}", library.crate_name(), call.name);
        Case { name, library, call, record, output: None }
    }

    /// `base` with the macro's surroundings, and with what the allow-list gives it.
    fn options(&self, base: &Options, allowed: &Allowed) -> Options {
        let mut options = match &self.record {
            Some(record) => record.surrounded(base),
            None => base.clone(),
        };
        allowed.let_through(&self.name, &mut options.allow);
        options
    }
}

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

type Findings = BTreeMap<String, Finding>;

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    if !arguments.all && arguments.deny.iter().any(|kind| kind == UNBUILT) {
        return Err(Error::Name(format!("--deny {UNBUILT} is about the lock file: add --all")));
    }
    let allowed = Allowed::read(arguments.allow_list.as_deref())?;
    let mut session = Session::open(options)?;
    if !session.boxed()?.sees_touches() {
        return Err(Error::Weak(
            "this kernel has no seccomp, by which macros are watched: nothing can be checked here"
                .into(),
        ));
    }
    let package = arguments.package.as_deref();
    let mut findings = Findings::new();
    let mut cases = Vec::new();
    if let Some(text) = &arguments.call {
        for (library, call) in session.written_calls(selection, package, "<input>", text)? {
            cases.push(Case::new(library, call, None));
        }
    } else {
        let target = match arguments.all {
            true => selection.every_crate(package)?,
            false => selection.target(package, arguments.bin.as_deref())?,
        };
        let recording = session.record(&target)?;
        is_whole(&recording)?;
        for one in recording.records {
            let library = session.library(&one.library)?;
            cases.push(Case::new(library, one.call(), Some(one)));
        }
    }
    look(&mut session, &mut cases, &allowed, &mut findings)?;
    let uncalled = match arguments.all {
        true => load::all(&mut session, selection, package, &allowed, &mut findings)?,
        false => Uncalled::default(),
    };
    vary::together(&mut session, &cases, &allowed, &mut findings)?;
    vary::apart(&session, options, arguments.runs, &cases, &allowed, &mut findings)?;
    Ok(report(&findings, &uncalled, arguments, &allowed) == 0)
}

/// Refuses a recording in which calls may be missing: they would pass unchecked.
fn is_whole(recording: &Recording) -> Result<(), Error> {
    if let Some(failed) = &recording.failed {
        return Err(Error::Cargo(format!("not every crate compiles:\n{failed}")));
    }
    let missing = recording.missing();
    if missing.is_empty() {
        return Ok(());
    }
    let each: Vec<_> =
        missing.iter().map(|(name, place)| format!("\n  {name} at {place}")).collect();
    Err(Error::Cargo(format!(
        "the compiler expanded calls that were not recorded:{}",
        each.concat()
    )))
}

/// Expands each call once, watched.
fn look(
    session: &mut Session,
    cases: &mut [Case],
    allowed: &Allowed,
    findings: &mut Findings,
) -> Result<(), Error> {
    let base = session.boxed()?.options().clone();
    let progress = count(cases.len()).with_message("calls watched");
    for case in cases {
        progress.inc(1);
        let chosen = session.boxed()?.options();
        *chosen = case.options(&base, allowed);
        chosen.watch.touches = true;
        chosen.vary.seed = Some(0);
        let finding = findings.entry(case.name.clone()).or_default();
        finding.calls += 1;
        match session.boxed()?.expand(&case.library, &case.call) {
            Ok(Expansion { stream, touches, tracked, .. }) => {
                finding.note(&touches, &case.library);
                finding.note_tracked(&tracked);
                case.output = Some(stream);
            }
            Err(error) => finding.note_failure(error, &case.library)?,
        }
    }
    progress.finish_and_clear();
    *session.boxed()?.options() = base;
    Ok(())
}

impl Finding {
    /// What the kernel was asked, without what the loader reads.
    fn note(&mut self, touches: &[String], library: &Library) {
        let mut loaded = false;
        for line in touches {
            let mut fields = line.split('\t');
            let kind = fields.next().unwrap_or_default();
            let (name, detail) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
            let refused = fields.next() == Some("refused");
            match kind {
                "loaded" => loaded = true,
                "full" => self.failed = Some("it asked the kernel for more than was noted".into()),
                "fs-read" if !loaded && is_loading(detail, library) => {}
                _ => {
                    let verdict = if refused { ", refused" } else { "" };
                    self.touches.insert((kind.into(), format!("{name} {detail}{verdict}")));
                }
            }
        }
    }

    /// What came before a failure, and the failure; an error again if it was not the macro's. It may
    /// have failed because it was refused something: that is the finding.
    fn note_failure(&mut self, error: Error, library: &Library) -> Result<(), Error> {
        let Error::Macro { before, .. } = &error else { return Err(error) };
        self.note(&before.touches, library);
        self.note_tracked(&before.tracked);
        self.failed = Some(error.to_string());
        Ok(())
    }

    /// Both as one: of two builds of a library.
    fn merge(&mut self, other: Finding) {
        self.calls += other.calls;
        self.touches.extend(other.touches);
        self.varies = self.varies.take().or(other.varies);
        self.failed = self.failed.take().or(other.failed);
    }

    /// What was asked of the C library or told to the compiler.
    fn note_tracked(&mut self, tracked: &[String]) {
        for line in tracked {
            let (kind, detail) = line.split_once(' ').unwrap_or((line, ""));
            if KINDS.contains(&kind) && !is_our_own(kind, detail) {
                self.touches.insert((kind.into(), detail.into()));
            }
        }
    }
}

/// What the loader reads: the library, and those it needs.
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

/// Prints the findings; how many things are denied or went unchecked.
fn report(
    findings: &Findings,
    uncalled: &Uncalled,
    arguments: &Arguments,
    allowed: &Allowed,
) -> usize {
    let (mut denied, mut failed) = (0, 0);
    let mut rows = Vec::new();
    let print = |line: String| {
        if !arguments.json {
            println!("{line}");
        }
    };
    for (name, finding) in findings {
        let denies =
            |kind: &str| arguments.deny.iter().any(|one| one == kind) && !allowed.has(name, kind);
        let verdict = match (&finding.failed, &finding.varies) {
            (Some(why), _) => format!("failed, and so was not checked: {why}"),
            (None, Some(how)) => format!("output varies {how}"),
            (None, None) => "no difference found".into(),
        };
        failed += usize::from(finding.failed.is_some() && !allowed.has(name, FAILS));
        let varies = finding.varies.is_some() && denies("varies");
        denied += usize::from(varies);
        let mark = if varies { "DENIED varies: " } else { "" };
        print(format!("{name}: {} calls, {mark}{verdict}", finding.calls));
        for (kind, detail) in &finding.touches {
            denied += usize::from(denies(kind));
            print(format!("  {}{kind}: {detail}", if denies(kind) { "DENIED " } else { "" }));
        }
        let touches: Vec<_> = finding.touches.iter().collect();
        rows.push(serde_json::json!({
            "macro": name, "calls": finding.calls, "touches": touches,
            "varies": finding.varies, "failed": finding.failed,
        }));
    }
    let Uncalled { macros, unbuilt } = uncalled;
    let denies_unbuilt = |name: &&String| {
        arguments.deny.iter().any(|one| one == UNBUILT) && !allowed.has(name, UNBUILT)
    };
    denied += unbuilt.iter().filter(denies_unbuilt).count();
    if arguments.json {
        let all = serde_json::json!({ "macros": rows, "not_called": macros, "not_built": unbuilt });
        println!("{all:#}");
    } else {
        if !macros.is_empty() {
            let list = macros.join(", ");
            println!("\nLoaded, but called by no crate here: {list}");
        }
        if !unbuilt.is_empty() {
            println!("\nIn the lock file, but not built here, and so not checked:");
            for name in unbuilt {
                println!(
                    "  {}{UNBUILT}: {name}",
                    if denies_unbuilt(&name) { "DENIED " } else { "" }
                );
            }
            println!("{}", load::REMEDY);
        }
        println!("\n{}", honesty(arguments.runs));
    }
    for entry in allowed.unused(|name, kind| {
        let is_unbuilt = kind == UNBUILT && unbuilt.iter().any(|one| one == name);
        is_unbuilt
            || findings.get(name).is_some_and(|finding| match kind {
                "varies" => finding.varies.is_some(),
                FAILS => finding.failed.is_some(),
                _ => finding.touches.iter().any(|(known, _)| known == kind),
            })
    }) {
        eprintln!("warning: the allow-list's `{entry}` allows what was not seen: remove it");
    }
    if denied > 0 {
        eprintln!(
            "error: {denied} denied: remove the macro, or add `MACRO KIND` (`CRATE {UNBUILT}`) to the \
             --allow-list"
        );
    }
    if failed > 0 {
        eprintln!(
            "error: {failed} macros failed in the box: allow what they need (`MACRO exec`, \
             --allow-write), or leave them unchecked with `MACRO {FAILS}` in the --allow-list"
        );
    }
    denied + failed
}

/// What the verdicts are worth.
fn honesty(runs: u32) -> String {
    let missed = 0.5_f64.powi(runs.saturating_sub(1) as i32);
    format!(
        "{runs} runs in processes of their own, with another seed, clock, directory, environment and \
         process number each, and all calls of a crate twice in one process: a difference that shows \
         in half of all runs is missed with probability {missed:.6}. Raw system calls and direct \
         reads of `environ` or the vDSO's clock go unseen. `cargo build` itself runs these macros \
         unboxed."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_not_recorded_does_not_pass() {
        let counted = vec![("serde::Serialize".into(), "src/lib.rs:3:1: 3:9".into())];
        let refused = is_whole(&Recording { counted, ..Recording::default() }).unwrap_err();
        assert!(refused.to_string().contains("serde::Serialize at src/lib.rs:3:1"), "{refused}");
        assert!(is_whole(&Recording::default()).is_ok());
    }
}
