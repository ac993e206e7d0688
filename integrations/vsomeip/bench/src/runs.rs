// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs of a job: interleaved, each of them recorded, and what figures are made of them. A run that
//! failed is taken again.

use crate::contestant::{Job, Outcome};
use crate::contestants::{ALL, Contestant};
use std::fs::File;
use std::io::Write;

/// Where each run is recorded, a line each.
pub struct Record {
    file: File,
    /// How many runs failed, by contestant in the order of [`ALL`].
    pub failed: [usize; ALL.len()],
}

pub const RECORD: &str = "vsomeip-runs.csv";

impl Record {
    pub fn new() -> std::io::Result<Self> {
        let mut file = File::create(RECORD)?;
        writeln!(
            file,
            "job,bytes,run,contestant,received,out_of_order,nanoseconds,cpu_nanoseconds,p50,p99,allocations"
        )?;
        Ok(Record { file, failed: [0; ALL.len()] })
    }

    fn note(&mut self, job: (&str, Job), run: usize, of: Contestant, outcome: Option<&Outcome>) {
        let (name, size) = (job.0, job.1.size);
        let values = match outcome {
            Some(outcome) => outcome.values().map(|value| value.to_string()).join(","),
            None => {
                println!("  {} failed in run {run} of {name}: taken again", of.name());
                self.failed[of as usize] += 1;
                "failed,,,,,,".to_owned()
            }
        };
        let line = writeln!(self.file, "{name},{size},{run},{},{values}", of.name());
        line.expect("each run can be recorded");
    }
}

/// A number with the least and the most that single runs gave.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub value: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// The median of values, which is none without any.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        match (values.first(), values.last()) {
            (Some(&least), Some(&most)) => Spread { value: values[values.len() / 2], least, most },
            _ => Spread::single(f64::NAN),
        }
    }

    pub fn single(value: f64) -> Spread {
        Spread { value, least: value, most: value }
    }
}

/// The outcomes of all runs, and how many failed, by contestant in the order of [`ALL`].
#[derive(Default)]
pub struct Runs {
    outcomes: [Vec<Outcome>; ALL.len()],
    failed: [usize; ALL.len()],
}

impl Runs {
    pub fn of(record: &mut Record, name: &str, job: Job, runs: usize) -> Result<Runs, String> {
        Runs::among(record, &ALL, name, job, runs)
    }

    /// # Errors
    /// A contestant failed more often than there are runs.
    pub fn among(
        record: &mut Record,
        contestants: &[Contestant],
        name: &str,
        job: Job,
        runs: usize,
    ) -> Result<Runs, String> {
        let taken = Runs::take(contestants, runs, |which, run| {
            let outcome = which.run(job);
            record.note((name, job), run, which, outcome.as_ref());
            outcome
        });
        taken.map_err(|which| format!("{} failed {} times in {name}", which.name(), runs + 1))
    }

    /// Each contestant so many times; again where it fails, as often as there are runs.
    fn take(
        contestants: &[Contestant],
        runs: usize,
        mut once: impl FnMut(Contestant, usize) -> Option<Outcome>,
    ) -> Result<Runs, Contestant> {
        let mut taken = Runs::default();
        for run in 0..runs {
            for offset in 0..contestants.len() {
                // Interleaved, and nobody always first.
                let which = contestants[(run + offset) % contestants.len()];
                let outcome = loop {
                    if let Some(outcome) = once(which, run) {
                        break outcome;
                    }
                    taken.failed[which as usize] += 1;
                    if taken.failed[which as usize] > runs {
                        return Err(which);
                    }
                };
                taken.outcomes[which as usize].push(outcome);
            }
        }
        Ok(taken)
    }

    /// One value per run, in their order.
    fn values(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        self.outcomes[of as usize].iter().map(value).collect()
    }

    pub fn median(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> Spread {
        Spread::of(self.values(of, value))
    }

    /// The median of one over the median of another; the spread is that of runs side by side.
    pub fn ratio(
        &self,
        of: Contestant,
        over: Contestant,
        value: impl Fn(&Outcome) -> f64,
    ) -> Spread {
        let (ours, theirs) = (self.values(of, &value), self.values(over, &value));
        let side_by_side = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        let (ours, theirs) = (Spread::of(ours).value, Spread::of(theirs).value);
        Spread { value: ours / theirs, ..Spread::of(side_by_side) }
    }

    /// The worst run counts.
    pub fn worst(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> Spread {
        let spread = self.median(of, value);
        Spread { value: spread.most, ..spread }
    }

    pub fn table(&self, title: &str, unit: &str, value: impl Fn(&Outcome) -> f64) {
        println!("\n{title}");
        for contestant in ALL.into_iter().filter(|it| !self.outcomes[*it as usize].is_empty()) {
            let Spread { value, least, most } = self.median(contestant, &value);
            let (name, runs) = (contestant.name(), self.outcomes[contestant as usize].len());
            let failed = match self.failed[contestant as usize] {
                0 => String::new(),
                failed => format!(", {failed} more failed"),
            };
            println!(
                "  {name:<26}{value:>12.1} {unit}   ({least:.1} to {most:.1}, {runs} runs{failed})"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Contestant::{Native, Ours, Peer};

    fn outcome(received: u64) -> Outcome {
        Outcome { received, ..Outcome::default() }
    }

    fn received(outcome: &Outcome) -> f64 {
        outcome.received as f64
    }

    #[test]
    fn a_figure_is_the_median_with_its_spread() {
        let native = [10, 20, 40].map(outcome).to_vec();
        let ours = [30, 10, 20].map(outcome).to_vec();
        let runs = Runs { outcomes: [native, Vec::new(), ours], ..Runs::default() };
        let median = runs.median(Ours, received);
        assert_eq!((median.value, median.least, median.most), (20.0, 10.0, 30.0));
        let ratio = runs.ratio(Ours, Native, received);
        assert_eq!((ratio.value, ratio.least, ratio.most), (1.0, 0.5, 3.0));
        assert_eq!(runs.worst(Ours, received).value, 30.0);
        assert!(runs.median(Peer, received).value.is_nan(), "none has run");
    }

    #[test]
    fn a_run_that_failed_is_taken_again_in_its_place() {
        let mut order = Vec::new();
        let runs = Runs::take(&[Native, Ours], 3, |which, run| {
            let failed = which == Native && run == 2 && order.last() != Some(&(Native, 2));
            order.push((which, run));
            (!failed).then(|| outcome(run as u64))
        });
        let runs = runs.unwrap();
        assert_eq!(
            order,
            [(Native, 0), (Ours, 0), (Ours, 1), (Native, 1), (Native, 2), (Native, 2), (Ours, 2)]
        );
        assert_eq!(runs.failed, [1, 0, 0]);
        assert_eq!(runs.values(Native, received), [0.0, 1.0, 2.0]);
        assert_eq!(runs.values(Ours, received), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn who_fails_more_often_than_there_are_runs_has_no_figure() {
        let mut tries = 0;
        let runs = Runs::take(&[Ours], 3, |_, _| {
            tries += 1;
            (tries % 2 == 0).then(|| outcome(1))
        });
        assert_eq!(runs.map_err(drop).unwrap().failed, [0, 0, 3], "each but once");
        let runs = Runs::take(&[Native, Ours], 3, |which, _| (which == Native).then(|| outcome(1)));
        assert_eq!(runs.err(), Some(Ours));
    }
}
