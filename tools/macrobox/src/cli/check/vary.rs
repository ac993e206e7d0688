// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does the output vary? Statics show within one process; addresses, seeds, the clock and the
//! process number only between newly started ones, since forks share them.

use super::{Allowed, BoxOptions, Case, Finding, Findings};
use crate::cli::session::{Session, chosen, count, expander};
use crate::{Error, Expander, Expansion, Limits, Options, agree};
use std::collections::BTreeMap;

/// All calls of each crate to one library, and once more, in one process: as the compiler has it.
pub(super) fn together(
    session: &mut Session,
    cases: &[Case],
    allowed: &Allowed,
    findings: &mut Findings,
) -> Result<(), Error> {
    let mut groups: BTreeMap<_, Vec<&Case>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.output.is_some()) {
        let caller = case.record.as_ref().map(|record| (&record.crate_name, &record.environment));
        // A macro runs beside those only that are allowed the same.
        let allows = ["exec", "net", "fs-write"].map(|kind| allowed.has(&case.name, kind));
        groups.entry((case.library.path(), caller, allows)).or_default().push(case);
    }
    let base = session.boxed()?.options().clone();
    for mut group in groups.into_values() {
        // A macro that ends the process is left out of the next try: so the others are compared.
        while let Some(first) = group.first() {
            let twice: Vec<&Case> = group.iter().chain(&group).copied().collect();
            let calls: Vec<_> = twice.iter().map(|case| case.call.clone()).collect();
            let chosen = session.boxed()?.options();
            *chosen = first.options(&base, allowed);
            chosen.vary.seed = Some(0);
            chosen.limits = times(chosen.limits, twice.len());
            match session.boxed()?.expand_together(&first.library, &calls) {
                Ok(outputs) => {
                    for (case, output) in twice.iter().zip(outputs) {
                        compare(case, output, "after other calls in one process", findings)?;
                    }
                    break;
                }
                // It does not bear the calls before it.
                Err(Error::Macro { name, failure, .. }) => {
                    let ended = group.iter().find(|case| case.call.name == name);
                    let ended = ended.unwrap_or(first).name.clone();
                    group.retain(|case| case.name != ended);
                    let how = format!("after other calls in one process: `{name}` {failure}");
                    findings.entry(ended).or_default().varies.get_or_insert(how);
                }
                Err(error) => return Err(error),
            }
        }
    }
    *session.boxed()?.options() = base;
    Ok(())
}

/// What so many calls may use up in one process, by the `limits` of one.
fn times(limits: Limits, calls: usize) -> Limits {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    Limits {
        wall_milliseconds: limits.wall_milliseconds.saturating_mul(calls),
        cpu_seconds: limits.cpu_seconds.saturating_mul(calls),
        output: limits.output.saturating_mul(calls.into()),
        ..limits
    }
}

/// What a run has different from the first.
#[derive(Clone, Copy)]
struct Factors {
    seed: bool,
    clock: bool,
    directory: bool,
    environment: bool,
}

const NONE: Factors = Factors { seed: false, clock: false, directory: false, environment: false };
const ALL: Factors = Factors { seed: true, clock: true, directory: true, environment: true };

/// One factor at a time, to name what a difference comes from.
const EACH: [(&str, Factors); 5] = [
    ("nothing but addresses, time and process numbers", NONE),
    ("the seed of random numbers", Factors { seed: true, ..NONE }),
    ("the clock", Factors { clock: true, ..NONE }),
    ("the current directory", Factors { directory: true, ..NONE }),
    ("the environment's other variables", Factors { environment: true, ..NONE }),
];

const DAY: u64 = 24 * 60 * 60;

fn change(options: &mut Options, factors: Factors, run: u32) {
    options.vary.seed = Some(if factors.seed { run.into() } else { 0 });
    options.vary.clock_seconds = if factors.clock { u64::from(run) * 40 * DAY } else { 0 };
    if factors.directory {
        options.directory = "/".into();
    }
    if factors.environment {
        options.environment.reverse();
        options.environment.push((format!("MACROBOX_RUN_{run}"), run.to_string()));
    }
}

/// Each call again, in newly started servers.
pub(super) fn apart(
    session: &Session,
    options: &BoxOptions,
    runs: u32,
    cases: &[Case],
    allowed: &Allowed,
    findings: &mut Findings,
) -> Result<(), Error> {
    let base = chosen(options);
    let expand = |fresh: &mut Expander, case: &Case, factors, run| {
        *fresh.options() = case.options(&base, allowed);
        change(fresh.options(), factors, run);
        fresh.expand(&case.library, &case.call)
    };
    let progress = count(runs.saturating_sub(1) as usize).with_message("runs apart");
    for run in 1..runs {
        progress.inc(1);
        let mut fresh = expander(&session.compiler, options)?;
        for case in cases.iter().filter(|case| case.output.is_some()) {
            if findings.get(&case.name).is_some_and(|finding| finding.varies.is_some()) {
                continue;
            }
            let output = expand(&mut fresh, case, ALL, run);
            if !compare(case, output, "from process to process", findings)? {
                continue;
            }
            for (factor, factors) in EACH {
                let mut alone = expander(&session.compiler, options)?;
                let output = expand(&mut alone, case, factors, run);
                if how(case, &output).is_some() {
                    name_cause(findings.entry(case.name.clone()).or_default(), factor);
                    break;
                }
            }
        }
    }
    Ok(())
}

fn name_cause(finding: &mut Finding, factor: &str) {
    if let Some(varies) = &mut finding.varies {
        *varies += &format!(", with {factor} changed");
    }
}

/// How `again` differs from the first output, if it does.
fn how(case: &Case, again: &Result<Expansion, Error>) -> Option<String> {
    match again {
        Ok(again) => {
            let (one, other) = agree::first_difference(case.output.as_ref()?, &again.stream)?;
            Some(format!("`{one}`, then `{other}`"))
        }
        Err(error) => Some(format!("it fails: {error}")),
    }
}

/// Notes a difference from the first output; true if there is one.
fn compare(
    case: &Case,
    again: Result<Expansion, Error>,
    when: &str,
    findings: &mut Findings,
) -> Result<bool, Error> {
    let how = how(case, &again);
    // Not the macro's fault: then it says nothing of the macro.
    again.map(drop).or_else(|error| error.failure().map(drop).ok_or(error))?;
    let Some(how) = how else { return Ok(false) };
    let finding = findings.entry(case.name.clone()).or_default();
    finding.varies.get_or_insert(format!("{when}: {how}"));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_calls_in_one_process_have_the_limits_of_several() {
        let one = Options::default().limits;
        let limits = times(one, 6);
        assert_eq!((limits.wall_milliseconds, limits.cpu_seconds), (60_000, 60));
        assert_eq!((limits.output, limits.memory), (6 * one.output, one.memory));
        let most = times(one, usize::MAX);
        assert_eq!((most.wall_milliseconds, most.most_output()), (u32::MAX, 1 << 30));
        assert_eq!(Limits { output: 0, ..one }.most_output(), 1 << 30);
    }
}
