// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs of a job: interleaved, each of them recorded, and what figures are made of them. A figure of
//! runs that failed is no number.

use crate::contestant::{Job, Outcome};
use crate::contestants::{ALL, Contestant};
use std::fs::File;
use std::io::Write;

/// Where each run is recorded, a line each.
pub struct Record {
    file: File,
    pub failed: usize,
}

pub const RECORD: &str = "vsomeip-runs.csv";

impl Record {
    pub fn new() -> std::io::Result<Self> {
        let mut file = File::create(RECORD)?;
        writeln!(
            file,
            "job,bytes,run,contestant,received,out_of_order,nanoseconds,cpu_nanoseconds,p50,p99,allocations"
        )?;
        Ok(Record { file, failed: 0 })
    }

    fn note(&mut self, job: (&str, Job), run: usize, of: Contestant, outcome: Option<&Outcome>) {
        let (name, size) = (job.0, job.1.size);
        let values = match outcome {
            Some(outcome) => outcome.values().map(|value| value.to_string()).join(","),
            None => {
                println!("  {} failed in run {run} of {name}", of.name());
                self.failed += 1;
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
    pub const NONE: Spread = Spread { value: f64::NAN, least: f64::NAN, most: f64::NAN };

    /// The median of values, which is none without any.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        match (values.first(), values.last()) {
            (Some(&least), Some(&most)) => Spread { value: values[values.len() / 2], least, most },
            _ => Spread::NONE,
        }
    }

    pub fn single(value: f64) -> Spread {
        Spread { value, least: value, most: value }
    }
}

/// The outcomes of all runs, by contestant in the order of [`ALL`]; `None` is a run that failed.
pub struct Runs(Vec<Vec<Option<Outcome>>>);

impl Runs {
    pub fn of(record: &mut Record, name: &str, job: Job, runs: usize) -> Runs {
        Runs::among(record, &ALL, name, job, runs)
    }

    pub fn among(
        record: &mut Record,
        contestants: &[Contestant],
        name: &str,
        job: Job,
        runs: usize,
    ) -> Runs {
        let mut outcomes = vec![Vec::new(); ALL.len()];
        for run in 0..runs {
            for offset in 0..contestants.len() {
                // Interleaved, and nobody always first.
                let which = contestants[(run + offset) % contestants.len()];
                let outcome = which.run(job);
                record.note((name, job), run, which, outcome.as_ref());
                outcomes[which as usize].push(outcome);
            }
        }
        Runs(outcomes)
    }

    /// One value per run, in their order; none at all where one of them failed.
    fn values(&self, of: Contestant, value: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        let values: Option<Vec<_>> =
            self.0[of as usize].iter().map(|outcome| outcome.as_ref().map(&value)).collect();
        values.unwrap_or_default()
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
        for contestant in ALL.into_iter().filter(|which| !self.0[*which as usize].is_empty()) {
            let Spread { value, least, most } = self.median(contestant, &value);
            let (name, runs) = (contestant.name(), self.0[contestant as usize].len());
            println!("  {name:<26}{value:>12.1} {unit}   ({least:.1} to {most:.1}, {runs} runs)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Contestant::{Native, Ours, Peer};

    fn runs(ours: &[Option<u64>]) -> Runs {
        let outcome = |received: u64| Outcome { received, ..Outcome::default() };
        let native = vec![Some(outcome(10)), Some(outcome(20)), Some(outcome(40))];
        Runs(vec![native, Vec::new(), ours.iter().map(|run| run.map(outcome)).collect()])
    }

    fn received(outcome: &Outcome) -> f64 {
        outcome.received as f64
    }

    #[test]
    fn a_figure_is_the_median_with_its_spread() {
        let runs = runs(&[Some(30), Some(10), Some(20)]);
        let median = runs.median(Ours, received);
        assert_eq!((median.value, median.least, median.most), (20.0, 10.0, 30.0));
        let ratio = runs.ratio(Ours, Native, received);
        assert_eq!((ratio.value, ratio.least, ratio.most), (1.0, 0.5, 3.0));
        assert_eq!(runs.worst(Ours, received).value, 30.0);
    }

    #[test]
    fn a_figure_of_a_run_that_failed_is_no_number() {
        let runs = runs(&[Some(30), None, Some(20)]);
        assert!(runs.median(Ours, received).value.is_nan());
        assert!(runs.worst(Ours, received).value.is_nan());
        assert!(runs.ratio(Ours, Native, received).value.is_nan());
        assert!(runs.median(Peer, received).value.is_nan(), "none has run");
        assert_eq!(runs.median(Native, received).value, 20.0, "the others keep theirs");
    }
}
