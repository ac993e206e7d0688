//! `selftest`: what the compiler got, replayed in the box.

use super::BoxOptions;
use super::session::Session;
use crate::Error;
use crate::agree::{self, Verdict};
use crate::cargo::Selection;

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
    session.expander.enforced().iter().for_each(|line| println!("box: {line}"));
    let target = selection.target(arguments.package.as_deref(), arguments.bin.as_deref())?;
    let recording = session.record(&target)?;
    let verdicts = agree::replay(&session.compiler, &mut session.expander, &recording)?;
    let (mut same, mut varies) = (0, 0);
    for (record, verdict) in &verdicts {
        let call = format!("{} at {}", record.name, record.place());
        match verdict {
            Verdict::Same => same += 1,
            Verdict::Varies => {
                varies += 1;
                println!("varies: {call}");
            }
            Verdict::Different(ours, theirs) => {
                println!("DIFFERS: {call}: `{ours}` here, `{theirs}` in the compiler");
            }
            Verdict::Failed(why) => println!("FAILED: {call}: {why}"),
        }
    }
    let (mut inputs, mut equal) = (0, 0);
    for record in &recording.records {
        let Some(verdict) = agree::input(record) else { continue };
        inputs += 1;
        match verdict? {
            Verdict::Same => equal += 1,
            other => println!("INPUT DIFFERS: {} at {}: {other:?}", record.name, record.place()),
        }
    }
    println!(
        "outputs {same}/{} equal ({varies} vary); inputs {equal}/{inputs} equal; the compiler \
         counted {} calls",
        verdicts.len() - varies,
        recording.counted.len()
    );
    Ok(same + varies == verdicts.len() && equal == inputs && !verdicts.is_empty())
}
