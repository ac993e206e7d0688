// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which calls of a package are meant, and what is said where there are none.

use super::session::Session;
use crate::cargo::Selection;
use crate::library::crate_name;
use crate::record::source_text;
use crate::{Call, Error, Kind, Record, Recording};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// A line of a file: `FILE:LINE` as editors write it, or `FILE:LINE:COLUMN` as rustc does.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Without `./` in front.
    file: PathBuf,
    line: usize,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let (before, number) = text.rsplit_once(':')?;
            Some((before.to_owned(), number.parse::<usize>().ok()?))
        };
        let last = number(text);
        let before = last.as_ref().and_then(|(before, _)| number(before));
        let (file, line) = before.or(last).ok_or("write it as FILE:LINE")?;
        let parts = Path::new(&file).components();
        Ok(Place { file: parts.skip_while(|part| *part == Component::CurDir).collect(), line })
    }
}

/// Which calls of a package are meant: by their place, or else by the macro's name.
pub(super) struct Wanted<'a> {
    pub at: Option<&'a Place>,
    /// As the crate calls it, or `*` for every macro.
    pub name: &'a str,
}

impl Wanted<'_> {
    /// Records one crate of a package after the other, up to the first that has such a call. Where none
    /// has, that is told.
    pub fn find(
        &self,
        selection: &Selection,
        package: Option<&str>,
        binary: Option<&str>,
        session: &mut Session,
    ) -> Result<Option<Recording>, Error> {
        let mut targets = selection.targets(package, binary)?;
        if let Some(place) = self.at {
            // A binary's first file is no other crate's.
            targets.sort_by_key(|target| !target.root.ends_with(&place.file));
        }
        let mut recordings = Vec::new();
        for target in &targets {
            let recording = session.record(target)?;
            if self.of(&recording, session).is_empty() {
                recordings.push(recording);
                continue;
            }
            if recording.failed.is_some() {
                eprintln!(
                    "warning: the crate does not compile: calls after the error are not known"
                );
            }
            return Ok(Some(recording));
        }
        self.tell_none(&recordings);
        Ok(None)
    }

    /// Those among the records.
    pub fn of<'r>(&self, recording: &'r Recording, session: &Session) -> Vec<&'r Record> {
        let is_named = |one: &&Record| session.names.is_named(one, self.name);
        match self.at {
            Some(place) => at(recording, place),
            None => recording.records.iter().filter(is_named).collect(),
        }
    }

    /// Says that there is none, which calls the package's own code has, and what kept them from being
    /// known.
    fn tell_none(&self, recordings: &[Recording]) {
        let each: Vec<String> = match self.at {
            Some(place) => {
                // Those in the same file first.
                let key = |one: &Record| {
                    let file = one.files.first().cloned().unwrap_or_default();
                    (!one.path(&file).ends_with(&place.file), file, one.line)
                };
                let places: BTreeSet<_> =
                    recordings.iter().flat_map(|one| &one.records).map(key).collect();
                places.into_iter().map(|(_, file, line)| format!("{file}:{line}")).collect()
            }
            None => {
                let paths = recordings.iter().flat_map(Recording::paths);
                let paths: BTreeSet<&str> = paths.map(|(_, path)| path).collect();
                paths.into_iter().map(String::from).collect()
            }
        };
        // What the macros of dependencies call is not the user's.
        let own = each.iter().filter(|one| !one.starts_with(['/', '$'])).map(String::as_str);
        let own: Vec<&str> = own.collect();
        let (shown, more) = (&own[..own.len().min(20)], own.len().saturating_sub(20));
        let what = match (own.is_empty(), more) {
            (true, _) => ": the package calls no procedural macros".into(),
            (false, 0) => format!("; there are {}", shown.join(", ")),
            (false, _) => format!("; there are {}, and {more} more", shown.join(", ")),
        };
        let unseen = "(calls in tests, examples and benches are not recorded)";
        eprintln!("error: no such call was expanded{what} {unseen}");
        for recording in recordings {
            tell_missing(recording);
            recording.failed.iter().for_each(|why| eprintln!("{why}"));
        }
    }
}

/// The calls that stand on a line; or else, on a line of an item, the attributes and derives of the
/// innermost item that has some.
fn at<'r>(recording: &'r Recording, place: &Place) -> Vec<&'r Record> {
    let own = |record: &Record| Some(record.path(record.files.first()?));
    let has_line = |record: &&Record, (lo, hi): (u32, u32)| {
        let Some(path) = own(record) else { return false };
        let text = source_text(&path).unwrap_or_default();
        let part = text.get(lo as usize..hi as usize).unwrap_or("");
        let first = record.line as usize;
        (first..=first + part.matches('\n').count()).contains(&place.line)
    };
    let on_line = |record: &&Record| has_line(record, (record.site.lo, record.site.hi));
    let reach = |record: &Record| {
        let (_, hi) = record.reach().get(&record.site.file).copied().unwrap_or_default();
        (record.site.lo, hi)
    };
    // Seen from here, or else by its last parts: as from the package's own folder.
    let here = place.file.canonicalize().ok();
    let is_here = |record: &&Record| {
        let path = own(record).and_then(|path| path.canonicalize().ok());
        here.is_some() && path == here
    };
    let ends_so = |record: &&Record| own(record).is_some_and(|path| path.ends_with(&place.file));
    let any_here = recording.records.iter().any(|record| is_here(&record));
    let in_file = |record: &&Record| if any_here { is_here(record) } else { ends_so(record) };
    let records: Vec<&Record> = recording.records.iter().filter(in_file).collect();
    let calls: Vec<&Record> = records.iter().copied().filter(on_line).collect();
    if !calls.is_empty() {
        return calls;
    }
    let on_item =
        |record: &&Record| record.kind != Kind::Function && has_line(record, reach(record));
    let mut items: Vec<&Record> = records.into_iter().filter(on_item).collect();
    // The same item's end at the same place.
    let innermost = items.iter().map(|record| reach(record)).min_by_key(|(lo, hi)| hi - lo);
    items.retain(|record| innermost.is_some_and(|(_, hi)| reach(record).1 == hi));
    items
}

/// Says how many of the compiler's calls these are, and names the others.
pub(super) fn count(recording: &Recording, name: Option<&str>, chosen: &[&Record], failed: usize) {
    let (shown, seen, all) = (chosen.len(), recording.records.len(), recording.counted.len());
    match name {
        Some("*") if failed > 0 => {
            eprintln!("{} of {all} calls expanded, {failed} failed", shown - failed);
        }
        Some("*") => eprintln!("{shown} of {all} calls expanded"),
        Some(name) => {
            // By a name that `use .. as` gave it: which macro that is.
            let last = name.rsplit("::").next();
            let others = chosen.iter().filter(|one| Some(&*one.name) != last);
            let own =
                |one: &&Record| format!("`{}::{}`", crate_name(one.library.as_ref()), one.name);
            let own: BTreeSet<String> = others.map(own).collect();
            let own: Vec<String> = own.into_iter().collect();
            let is = if own.is_empty() {
                String::new()
            } else {
                format!(", which is {}", own.join(", "))
            };
            eprintln!("{shown} calls of `{name}`{is}; {seen} of {all} calls recorded");
        }
        None => return,
    }
    tell_missing(recording);
}

fn tell_missing(recording: &Recording) {
    let missing = recording.missing();
    if !missing.is_empty() {
        eprintln!("not recorded (built into the compiler, or after the tap's last macro):");
        missing.iter().for_each(|(name, span)| eprintln!("  {name} at {span}"));
    }
}

/// By its own name, as it would be written at a call.
pub(super) fn shown_name(call: &Call) -> String {
    match call.kind {
        Kind::Derive => format!("#[derive({})]", call.name),
        Kind::Attribute => format!("#[{}]", call.name),
        Kind::Function => format!("{}!", call.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_editors_and_compilers_write_it() {
        for text in ["./src/lib.rs:12", "src/lib.rs:12:5", "src/lib.rs:12"] {
            let place: Place = text.parse().unwrap();
            assert_eq!((place.file, place.line), ("src/lib.rs".into(), 12), "{text}");
        }
        for text in ["nonsense", "src/lib.rs", "src/lib.rs:x", ""] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
