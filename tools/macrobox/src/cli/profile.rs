// SPDX-License-Identifier: MIT OR Apache-2.0

//! `profile`: what macros cost, over a crate's real calls or as one call grows.

use super::BoxOptions;
use super::grow::grow;
use super::report::{self, Point, Shown};
use super::session::{Session, count};
use super::wanted::Wanted;
use crate::cargo::Selection;
use crate::{Call, Error, Expansion, Library};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A call that is grown, by its fields, variants, methods or arguments, or by its integer:
    /// `#[derive(Name)] struct S { a: T }`, `name!(10)` or `name!(a, b)`; without it, all calls of
    /// the crate are timed
    call: Option<String>,
    /// The package whose crate or dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package; without it the library, or the binary that has the call
    #[arg(long, conflicts_with = "call")]
    bin: Option<String>,
    /// Only this macro's calls: NAME or CRATE::NAME
    #[arg(long = "macro", value_name = "NAME", default_value = "*")]
    name: String,
    /// Sizes to grow the call to
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 64, 256, 1024])]
    sizes: Vec<usize>,
    /// How often each size and each call is timed; the fastest counts
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Write the sweep's curve as SVG
    #[arg(long, value_name = "FILE", requires = "call")]
    svg: Option<PathBuf>,
    /// Write one self-contained HTML report
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let mut session = Session::open(options)?;
    let mut whole = true;
    let (points, mut shown) = match &arguments.call {
        Some(text) => sweep(&mut session, selection, arguments, text, &mut whole)?,
        None => (Vec::new(), calls(&mut session, selection, arguments, &mut whole)?),
    };
    // No empty report over an earlier one.
    if shown.is_empty() && points.is_empty() {
        return Ok(false);
    }
    // The dearest first.
    shown.sort_by_key(|one| std::cmp::Reverse(one.nanoseconds));
    if let Some(path) = &arguments.svg {
        let written = std::fs::write(path, report::svg(&points));
        written.map_err(Error::io(format!("writing {}", path.display())))?;
        println!("wrote {}", path.display());
    }
    if let Some(path) = &arguments.html {
        let written = std::fs::write(path, report::html(&points, &shown));
        written.map_err(Error::io(format!("writing {}", path.display())))?;
        println!("wrote {}", path.display());
    }
    Ok(whole)
}

/// The fastest of several expansions, each in a process of its own.
fn fastest(
    session: &mut Session,
    library: &Library,
    call: &Call,
    repeat: usize,
) -> Result<Expansion, Error> {
    let mut best = session.boxed()?.expand(library, call)?;
    for _ in 1..repeat {
        let next = session.boxed()?.expand(library, call)?;
        if next.time < best.time {
            best = next;
        }
    }
    Ok(best)
}

/// Every call of the crate that is meant; `whole` becomes false if one failed.
fn calls(
    session: &mut Session,
    selection: &Selection,
    arguments: &Arguments,
    whole: &mut bool,
) -> Result<Vec<Shown>, Error> {
    let wanted = Wanted { at: None, name: &arguments.name };
    let (package, binary) = (arguments.package.as_deref(), arguments.bin.as_deref());
    let found = wanted.find(selection, package, binary, session)?;
    let Some(recording) = found else { return Ok(Vec::new()) };
    let chosen = wanted.of(&recording, session);
    let progress = count(chosen.len());
    let base = session.boxed()?.options().clone();
    let mut shown = Vec::new();
    let mut totals: BTreeMap<String, (usize, u64, usize)> = BTreeMap::new();
    for record in &chosen {
        progress.inc(1);
        let library = session.library(&record.library)?;
        let call = record.call();
        *session.boxed()?.options() = record.surrounded(&base);
        let expansion = match fastest(session, &library, &call, arguments.repeat) {
            Ok(expansion) => expansion,
            Err(error) if error.failure().is_some() => {
                *whole = false;
                progress
                    .suspend(|| eprintln!("error: {} at {}: {error}", record.name, record.place()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let nanoseconds = expansion.time.as_nanos() as u64;
        let name = format!("{}::{}", library.crate_name(), record.name);
        let total = totals.entry(name).or_default();
        // The time is what the macro's process says.
        *total =
            (total.0 + 1, total.1.saturating_add(nanoseconds), total.2 + expansion.stream.count());
        shown.push(Shown {
            title: format!("{} at {}", record.name, record.place()),
            nanoseconds,
            call,
            expansion,
        });
    }
    progress.finish_and_clear();
    let mut rows: Vec<_> = totals.into_iter().collect();
    rows.sort_by_key(|(_, (_, time, _))| std::cmp::Reverse(*time));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(5);
    println!("{:<width$} {:>6} {:>12} {:>14}", "macro", "calls", "time", "output tokens");
    for (name, (number, time, tokens)) in rows {
        println!("{name:<width$} {number:>6} {:>9} us {tokens:>14}", time / 1000);
    }
    let mut dearest: Vec<&Shown> = shown.iter().collect();
    dearest.sort_by_key(|one| std::cmp::Reverse(one.nanoseconds));
    println!("\nthe dearest calls");
    for one in dearest.iter().take(10) {
        let (time, tokens) = (one.nanoseconds / 1000, one.expansion.stream.count());
        println!("{time:>9} us {tokens:>10} tokens  {}", one.title);
    }
    println!("{} of {} calls timed", shown.len(), recording.counted.len());
    Ok(shown)
}

/// The same call at every size; `whole` becomes false if one failed.
fn sweep(
    session: &mut Session,
    selection: &Selection,
    arguments: &Arguments,
    text: &str,
    whole: &mut bool,
) -> Result<(Vec<Point>, Vec<Shown>), Error> {
    let package = arguments.package.as_deref();
    let mut calls = session.written_calls(selection, package, "<input>", text)?;
    let (library, call) = calls.remove(0);
    if !calls.is_empty() {
        return Err(Error::Name("a sweep takes one derive at a time".into()));
    }
    let progress = count(arguments.sizes.len());
    let mut points = Vec::new();
    let mut shown = Vec::new();
    for &size in &arguments.sizes {
        progress.set_message(format!("size {size}"));
        let grown = grow(&call, size)?;
        let expansion = match fastest(session, &library, &grown, arguments.repeat) {
            Ok(expansion) => expansion,
            Err(error) if error.failure().is_some() => {
                *whole = false;
                progress.suspend(|| eprintln!("error: size {size}: {error}"));
                progress.inc(1);
                continue;
            }
            Err(error) => return Err(error),
        };
        let nanoseconds = expansion.time.as_nanos() as u64;
        let memory = expansion.memory;
        points.push(Point { size, nanoseconds, tokens: expansion.stream.count(), memory });
        if expansion.stream.count() < 20_000 {
            let title = format!("{} at size {size}", call.name);
            shown.push(Shown { title, nanoseconds, call: grown, expansion });
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if points.is_empty() {
        return Ok((points, shown));
    }
    let columns = usize::from(console::Term::stdout().size().1);
    print!("{}", report::bars(&points, columns));
    Ok((points, shown))
}
