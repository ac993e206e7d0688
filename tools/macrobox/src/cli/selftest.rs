//! `selftest`: what the compiler got, replayed in the box and in the toolchain's server.

use super::BoxOptions;
use super::session::Session;
use crate::agree::{self, Replayed, Verdict};
use crate::cargo::Selection;
use crate::{Error, Record, ToolchainServer};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The package whose calls are replayed
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package instead of its library
    #[arg(long)]
    bin: Option<String>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let mut session = Session::open(options)?;
    session.boxed()?.enforced().iter().for_each(|line| println!("box: {line}"));
    let target = selection.target(arguments.package.as_deref(), arguments.bin.as_deref())?;
    let recording = session.record(&target)?;
    let compiler = session.compiler.clone();
    let timeout = Duration::from_millis(options.timeout.into());
    let mut toolchain = ToolchainServer::new(&compiler, timeout)?;
    let own = session.boxed()?;
    let replayed = agree::replay(&compiler, own, Some(&mut toolchain), &recording)?;
    let ours = tell("", replayed.iter().map(|one| (&one.record, Some(&one.verdict))));
    let theirs = tell(
        " in the toolchain's server",
        replayed.iter().map(|one| (&one.record, one.toolchain.as_ref())),
    );
    let sum = |of: fn(&Replayed) -> usize| replayed.iter().map(of).sum::<usize>();
    let spans = (sum(|one| one.spans.0), sum(|one| one.spans.1));
    let (mut inputs, mut equal) = (0, 0);
    for record in &recording.records {
        let Some(verdict) = agree::input(record) else { continue };
        inputs += 1;
        match verdict? {
            Verdict::Same => equal += 1,
            other => println!("INPUT DIFFERS: {} at {}: {other:?}", record.name, record.place()),
        }
    }
    println!("outputs {ours}; inputs {equal}/{inputs} equal; spans {}/{} equal", spans.0, spans.1);
    println!("the toolchain's server: outputs {theirs}");
    println!("{} of {} calls recorded", replayed.len(), recording.counted.len());
    Ok(ours.all_good() && equal == inputs && !replayed.is_empty())
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
