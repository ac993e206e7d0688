// SPDX-License-Identifier: MIT OR Apache-2.0

//! `selftest`: what the compiler got, replayed in the box and in the toolchain's server.

use super::BoxOptions;
use super::session::{Session, spin};
use crate::agree::{self, Replayed, Verdict};
use crate::cargo::Selection;
use crate::inputs::Inputs;
use crate::{Error, Record, Recording, ToolchainServer, corpus};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The package whose calls are replayed
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package instead of its library
    #[arg(long)]
    bin: Option<String>,
    /// Replay the calls that this file holds, instead of recording any
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bin", "write"])]
    corpus: Option<PathBuf>,
    /// Write what was recorded into this file: calls of published macros and of the workspace's own
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let mut session = Session::open(options)?;
    session.boxed()?.enforced().iter().for_each(|line| println!("box: {line}"));
    let package = arguments.package.as_deref();
    if let Some(path) = &arguments.corpus {
        let recording = read(path, selection, package)?;
        println!("{} calls of the corpus", recording.records.len());
        return replay(&mut session, options, &recording);
    }
    let target = selection.target(package, arguments.bin.as_deref())?;
    let recording = session.record(&target)?;
    if let Some(path) = &arguments.write {
        let crates = selection.macro_crates(package)?;
        let text = corpus::write(&recording, &crates, session.compiler.version());
        let failed = Error::io(format!("writing {}", path.display()));
        std::fs::write(path, text).map_err(failed)?;
        println!("wrote {}", path.display());
    }
    let outputs = replay(&mut session, options, &recording)?;
    let inputs = inputs(&recording.records);
    Ok(is_whole(&recording) && outputs && inputs)
}

fn read(path: &Path, selection: &Selection, package: Option<&str>) -> Result<Recording, Error> {
    let failed = Error::io(format!("reading {}", path.display()));
    let text = std::fs::read_to_string(path).map_err(failed)?;
    corpus::read(&text, &selection.macro_crates(package)?)
        .map_err(|error| Error::Name(format!("{}: {error}", path.display())))
}

/// Compares what comes of the calls; false if a server gives something else than the compiler got.
fn replay(
    session: &mut Session,
    options: &BoxOptions,
    recording: &Recording,
) -> Result<bool, Error> {
    let compiler = session.compiler.clone();
    let timeout = Duration::from_millis(options.timeout.into());
    let mut toolchain = ToolchainServer::new(&compiler, timeout)?;
    let spinner = spin("replaying the calls in both servers");
    let replayed = agree::replay(&compiler, session.boxed()?, Some(&mut toolchain), recording);
    spinner.finish_and_clear();
    let replayed = replayed?;
    let ours = tell("", replayed.iter().map(|one| (&one.record, Some(&one.verdict))));
    let theirs = tell(
        " in the toolchain's server",
        replayed.iter().map(|one| (&one.record, one.toolchain.as_ref())),
    );
    let sum = |of: fn(&Replayed) -> usize| replayed.iter().map(of).sum::<usize>();
    let spans = match recording.counted.is_empty() {
        true => String::new(), // a corpus keeps none
        false => {
            let (equal, all) = (sum(|one| one.spans.0), sum(|one| one.spans.1));
            format!("; spans {equal}/{all} equal")
        }
    };
    println!("the box: outputs {ours}{spans}");
    println!("the toolchain's server: outputs {theirs}");
    Ok(ours.all_good() && theirs.all_good() && !replayed.is_empty())
}

/// Compares our reading of the source with the compiler's; false if a token differs.
fn inputs(records: &[Record]) -> bool {
    let mut inputs = Inputs::default();
    let (mut equal, mut all, mut tokens, mut all_tokens) = (0, 0, 0, 0);
    for record in records {
        let Some(input) = inputs.compare(record) else { continue };
        all += 1;
        (tokens, all_tokens) = (tokens + input.compared, all_tokens + input.all);
        match input.verdict {
            Verdict::Same => equal += 1,
            other => println!("INPUT DIFFERS: {} at {}: {other:?}", record.name, record.place()),
        }
    }
    println!(
        "inputs {equal}/{all} equal: {tokens} tokens of the source, of {all_tokens} in all, the \
         others made by macros"
    );
    equal == all
}

/// Says what could not be replayed; false if there is any.
fn is_whole(recording: &Recording) -> bool {
    println!("{} of {} calls recorded", recording.records.len(), recording.counted.len());
    let missing = recording.missing();
    missing.iter().for_each(|(name, place)| println!("NOT RECORDED: {name} at {place}"));
    if let Some(failed) = &recording.failed {
        println!("NOT COMPILED:\n{failed}");
    }
    missing.is_empty() && recording.failed.is_none()
}

/// How many are equal to the compiler's, of all that do not vary.
#[derive(Default)]
struct Tally {
    same: usize,
    varies: usize,
    all: usize,
}

impl Tally {
    fn all_good(&self) -> bool {
        self.same + self.varies == self.all
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { same, varies, all } = self;
        write!(f, "{same}/{} equal ({varies} vary)", all - varies)
    }
}

/// Names what differs, and counts.
fn tell<'a>(
    place: &str,
    verdicts: impl Iterator<Item = (&'a Record, Option<&'a Verdict>)>,
) -> Tally {
    let mut tally = Tally::default();
    for (record, verdict) in verdicts {
        let Some(verdict) = verdict else { continue };
        let call = format!("{} at {}{place}", record.name, record.place());
        tally.all += 1;
        match verdict {
            Verdict::Same => tally.same += 1,
            Verdict::Varies => {
                tally.varies += 1;
                println!("varies: {call}");
            }
            Verdict::Different(ours, theirs) => {
                println!("DIFFERS: {call}: `{ours}`, `{theirs}` in the compiler");
            }
            Verdict::Failed(why) => println!("FAILED: {call}: {why}"),
        }
    }
    tally
}
