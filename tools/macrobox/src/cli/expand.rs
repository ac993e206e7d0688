// SPDX-License-Identifier: MIT OR Apache-2.0

//! `expand`: one call, or all of a macro's calls in a crate.

use super::BoxOptions;
use super::recursive;
use super::session::{Session, chosen as chosen_options};
use crate::cargo::{Selection, Target};
use crate::library::crate_name;
use crate::record::source_text;
use crate::{
    Call, Diagnostic, Error, Expansion, Failure, Kind, Level, Library, Record, Recording, Span,
    Stream, render,
};
use serde_json::{Value, json};
use similar::TextDiff;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo macrobox expand [OPTIONS] \
                            <CALL|--file FILE|--at FILE:LINE|--macro NAME>")]
pub(super) struct Arguments {
    /// The call: `name!(..)`, `#[name(..)] item` or `#[derive(Name)] item`; `-` reads it
    #[arg(required_unless_present_any = ["file", "at", "name"])]
    call: Option<String>,
    /// Read the call from this file
    #[arg(long, conflicts_with_all = ["call", "at", "name"])]
    file: Option<PathBuf>,
    /// Expand the calls on this line, or of the item that it is in
    #[arg(long, value_name = "FILE:LINE", conflicts_with_all = ["call", "name"])]
    at: Option<String>,
    /// Expand all calls of this macro in the crate: NAME, CRATE::NAME or as the crate calls it, `*` for
    /// every macro
    #[arg(long = "macro", value_name = "NAME", conflicts_with = "call")]
    name: Option<String>,
    /// The package whose crate or dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package; without it the library, or the binary that has the call
    #[arg(long)]
    bin: Option<String>,
    /// Expand calls of the same macro in the output too, until none is left
    #[arg(long)]
    recursive: bool,
    /// Print JSON with the span of every token
    #[arg(long)]
    json: bool,
    /// Compare with the last time
    #[arg(long)]
    diff: bool,
    /// Compare with what another version of the macro crate makes of it: `1.0.200` of the registry,
    /// a folder with its package, or a built library
    #[arg(long, value_name = "VERSION")]
    against: Option<String>,
    /// `own` runs the macro in the box, `toolchain` in the toolchain's server, unprotected; without
    /// it, the box, or the toolchain's where the box's server does not build
    #[arg(long, value_parser = ["own", "toolchain"])]
    server: Option<String>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let mut session = Session::open_for(options, arguments.server.as_deref())?;
    let (json, others) = (Vec::new(), Vec::new());
    let mut job = Job {
        arguments,
        good: true,
        failed: 0,
        json,
        memory: None,
        selection,
        records: &[],
        others,
    };
    if arguments.at.is_none() && arguments.name.is_none() {
        let (path, text) = read(arguments)?;
        let package = arguments.package.as_deref();
        for (library, call) in session.written_calls(selection, package, &path, &text)? {
            job.one(&mut session, &library, &call, None)?;
        }
        job.finish();
        return Ok(job.good);
    }
    let targets = selection.targets(arguments.package.as_deref(), arguments.bin.as_deref())?;
    job.memory = targets.first().map(|target| target.folder.join("last"));
    let name = arguments.name.as_deref();
    let wanted = Wanted { at: arguments.at.as_deref(), name: name.unwrap_or("*") };
    let recordings = wanted.record(targets, &mut session)?;
    let Some(recording) = recordings.last() else { return Ok(false) };
    job.records = &recording.records;
    let chosen = wanted.of(recording, &session)?;
    let base = chosen_options(options);
    for record in &chosen {
        let library = Library::open(record.library.as_ref(), &session.compiler)?;
        session.surround(record, &base);
        job.one(&mut session, &library, &record.call(), Some(record))?;
    }
    job.finish();
    count(recording, name, &chosen, job.failed);
    if chosen.is_empty() {
        job.good = false;
        wanted.tell_none(&recordings);
    } else if recording.failed.is_some() {
        eprintln!("warning: the crate does not compile: calls after the error are not known");
    }
    Ok(job.good)
}

/// Which calls of a package are meant: by their place, or else by the macro's name.
pub(super) struct Wanted<'a> {
    /// `FILE:LINE`.
    pub at: Option<&'a str>,
    /// As the crate calls it, or `*` for every macro.
    pub name: &'a str,
}

impl Wanted<'_> {
    /// Records one crate of a package after the other, up to the first that has such a call.
    pub fn record(
        &self,
        mut targets: Vec<Target>,
        session: &mut Session,
    ) -> Result<Vec<Recording>, Error> {
        if let Some(place) = self.at {
            // A binary's first file is no other crate's.
            let file = without_dots(file_of(place));
            targets.sort_by_key(|target| !target.root.ends_with(&file));
        }
        let mut recordings = Vec::new();
        for target in &targets {
            let recording = session.record(target)?;
            let found = !self.of(&recording, session)?.is_empty();
            recordings.push(recording);
            if found {
                break;
            }
        }
        Ok(recordings)
    }

    /// Those among the records.
    pub fn of<'r>(
        &self,
        recording: &'r Recording,
        session: &Session,
    ) -> Result<Vec<&'r Record>, Error> {
        match self.at {
            Some(place) => at(recording, place),
            None => {
                let records = recording.records.iter();
                Ok(records.filter(|one| session.names.is_named(one, self.name)).collect())
            }
        }
    }

    /// Says that there is none, which calls the package's own code has, and what kept them from being
    /// known.
    pub fn tell_none(&self, recordings: &[Recording]) {
        let each: Vec<String> = match self.at {
            Some(place) => {
                // Those in the same file first.
                let ends = without_dots(file_of(place));
                let key = |one: &Record| {
                    let file = one.files.first().cloned().unwrap_or_default();
                    (!one.path(&file).ends_with(&ends), file, one.line)
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
        recordings.iter().filter_map(|one| one.failed.as_ref()).for_each(|why| eprintln!("{why}"));
    }
}

fn read(arguments: &Arguments) -> Result<(String, String), Error> {
    let doing = Error::io("reading the call");
    match (&arguments.file, arguments.call.as_deref()) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path);
            let failed = Error::io(format!("reading {}", path.display()));
            Ok((path.display().to_string(), text.map_err(failed)?))
        }
        (None, Some("-")) => {
            Ok(("<stdin>".into(), std::io::read_to_string(std::io::stdin()).map_err(doing)?))
        }
        (None, text) => Ok(("<input>".into(), text.unwrap_or_default().into())),
    }
}

/// The calls that stand on a line: `FILE:LINE`, as compilers and editors write it; or else, on a line of
/// an item, the attributes and derives of the innermost item that has some.
fn at<'r>(recording: &'r Recording, place: &str) -> Result<Vec<&'r Record>, Error> {
    let wrong = || Error::Name(format!("`{place}` is not FILE:LINE"));
    let (file, line) = place.rsplit_once(':').ok_or_else(wrong)?;
    let line: usize = line.parse().map_err(|_| wrong())?;
    let own = |record: &Record| Some(record.path(record.files.first()?));
    let has_line = |record: &&Record, (lo, hi): (u32, u32)| {
        let Some(path) = own(record) else { return false };
        let text = source_text(&path).unwrap_or_default();
        let part = text.get(lo as usize..hi as usize).unwrap_or("");
        let first = record.line as usize;
        (first..=first + part.matches('\n').count()).contains(&line)
    };
    let on_line = |record: &&Record| has_line(record, (record.site.lo, record.site.hi));
    let reach = |record: &Record| {
        let (_, hi) = record.reach().get(&record.site.file).copied().unwrap_or_default();
        (record.site.lo, hi)
    };
    // Seen from here, or else by its last parts: as from the package's own folder.
    let here = Path::new(file).canonicalize().ok();
    let is_here = |record: &&Record| {
        let path = own(record).and_then(|path| path.canonicalize().ok());
        here.is_some() && path == here
    };
    let ends = without_dots(file);
    let ends_so = |record: &&Record| own(record).is_some_and(|path| path.ends_with(&ends));
    let any_here = recording.records.iter().any(|record| is_here(&record));
    let in_file = |record: &&Record| if any_here { is_here(record) } else { ends_so(record) };
    let records: Vec<&Record> = recording.records.iter().filter(in_file).collect();
    let calls: Vec<&Record> = records.iter().copied().filter(on_line).collect();
    if !calls.is_empty() {
        return Ok(calls);
    }
    let on_item =
        |record: &&Record| record.kind != Kind::Function && has_line(record, reach(record));
    let mut items: Vec<&Record> = records.into_iter().filter(on_item).collect();
    // The same item's end at the same place.
    let innermost = items.iter().map(|record| reach(record)).min_by_key(|(lo, hi)| hi - lo);
    items.retain(|record| innermost.is_some_and(|(_, hi)| reach(record).1 == hi));
    Ok(items)
}

/// `src/lib.rs` of `src/lib.rs:3`.
fn file_of(place: &str) -> &str {
    place.rsplit_once(':').map_or(place, |(file, _)| file)
}

/// `./src/lib.rs` as `src/lib.rs`.
fn without_dots(file: &str) -> PathBuf {
    Path::new(file).components().skip_while(|part| *part == Component::CurDir).collect()
}

/// Says how many of the compiler's calls these are, and names the others.
fn count(recording: &Recording, name: Option<&str>, chosen: &[&Record], failed: usize) {
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
    let missing = recording.missing();
    if !missing.is_empty() {
        eprintln!("not recorded (built into the compiler, or after the tap's last macro):");
        missing.iter().for_each(|(name, span)| eprintln!("  {name} at {span}"));
    }
}

struct Job<'a> {
    arguments: &'a Arguments,
    good: bool,
    /// How many calls.
    failed: usize,
    json: Vec<Value>,
    /// Where the last expansions are kept, for `--diff`.
    memory: Option<PathBuf>,
    selection: &'a Selection,
    /// What the compiler expanded in the crate; none for calls given as text.
    records: &'a [Record],
    /// For `--against`, by the library that they stand beside.
    others: Vec<(PathBuf, Library)>,
}

impl Job<'_> {
    fn one(
        &mut self,
        session: &mut Session,
        library: &Library,
        call: &Call,
        record: Option<&Record>,
    ) -> Result<(), Error> {
        let mut expansion = match session.expand(library, call) {
            Ok(expansion) => expansion,
            Err(error) if error.failure().is_some() => {
                self.fail(&error, call, record);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let left = match self.arguments.recursive {
            true => recursive::expand(session, library, call, self.records, &mut expansion)?,
            false => Vec::new(),
        };
        let (complaints, errors) =
            render::complaints(&expansion.diagnostics, &expansion.stream, call.site, &call.sources);
        eprint!("{complaints}{}", expansion.stderr);
        for one in &left {
            eprintln!("error: not expanded: {one}");
        }
        self.good &= errors == 0 && left.is_empty();
        if self.arguments.json {
            self.json.push(to_json(call, record, &expansion, &left));
            return Ok(());
        }
        let text = render::pretty(&expansion.stream);
        if let Some(record) = record {
            println!("// {} at {}", shown_name(call), record.place());
        }
        if let Some(other) = &self.arguments.against {
            let library = self.other(session, library, other)?;
            let theirs = render::pretty(&session.expand(&library, call)?.stream);
            print_diff(&theirs, &text, other, "this one");
        } else if self.arguments.diff {
            self.diff(call, &text)?;
        } else if render::coloured() {
            print!("{}", render::highlight(&text));
        } else {
            print!("{text}");
        }
        self.remember(call, &text)
    }

    /// The macro library that `library` is compared with, built once.
    fn other(
        &mut self,
        session: &Session,
        library: &Library,
        which: &str,
    ) -> Result<Library, Error> {
        if Path::new(which).is_file() {
            return Library::open(which.as_ref(), &session.compiler);
        }
        if let Some((_, other)) = self.others.iter().find(|(path, _)| path == library.path()) {
            return Ok(other.clone());
        }
        let built = self.selection.other_version(&library.crate_name(), which)?;
        let other = built.library(&session.compiler)?;
        self.others.push((library.path().into(), other.clone()));
        Ok(other)
    }

    fn fail(&mut self, error: &Error, call: &Call, record: Option<&Record>) {
        (self.good, self.failed) = (false, self.failed + 1);
        let Error::Macro { failure, before, .. } = error else { return };
        let nothing = Stream::default();
        let (said, _) = render::complaints(&before.diagnostics, &nothing, call.site, &call.sources);
        eprint!("{said}{}", before.stderr);
        let text = match failure {
            Failure::Panicked(message) => format!("proc macro panicked: {message}"),
            _ => error.to_string(),
        };
        eprint!("{}", render::message(Level::Error, &text, Some(call.site), &call.sources));
        if self.arguments.json {
            self.json.push(json!({
                "macro": call.name, "at": record.map(Record::place), "error": error.to_string(),
                "diagnostics": diagnostics(&before.diagnostics, call),
            }));
        }
    }

    fn last(&self, call: &Call) -> PathBuf {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        let place = call.sources.first().map(|source| (&source.path, source.line));
        (&call.name, place).hash(&mut hasher);
        let folder = self.memory.clone().unwrap_or_else(|| "target/macrobox/last".into());
        folder.join(format!("{:016x}.rs", hasher.finish()))
    }

    fn diff(&self, call: &Call, text: &str) -> Result<(), Error> {
        match std::fs::read_to_string(self.last(call)) {
            Ok(last) => print_diff(&last, text, "last time", "now"),
            Err(_) => println!("// nothing to compare with: this is the first time"),
        }
        Ok(())
    }

    fn remember(&self, call: &Call, text: &str) -> Result<(), Error> {
        let path = self.last(call);
        let folder = path.parent().unwrap_or(Path::new("."));
        let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        kept.map_err(Error::io(format!("keeping the expansion in {}", path.display())))
    }

    fn finish(&mut self) {
        if self.arguments.json {
            println!("{:#}", Value::Array(std::mem::take(&mut self.json)));
        }
    }
}

fn print_diff(old: &str, new: &str, before: &str, after: &str) {
    if old == new {
        println!("// no difference");
        return;
    }
    let diff = TextDiff::from_lines(old, new);
    print!("{}", diff.unified_diff().context_radius(3).header(before, after));
}

/// As it is written at the call.
pub(super) fn shown_name(call: &Call) -> String {
    match call.kind {
        Kind::Derive => format!("#[derive({})]", call.name),
        Kind::Attribute => format!("#[{}]", call.name),
        Kind::Function => format!("{}!", call.name),
    }
}

fn to_json(call: &Call, record: Option<&Record>, expansion: &Expansion, left: &[String]) -> Value {
    let mut text = String::new();
    let mut tokens = Vec::new();
    crate::write_text(&expansion.stream, &mut text, &mut |tree, start, end| {
        let span: Span = tree.span();
        tokens.push(json!({ "start": start, "end": end, "from": place_of(span, call) }));
    });
    json!({
        "macro": call.name, "at": record.map(Record::place), "text": text, "tokens": tokens,
        "diagnostics": diagnostics(&expansion.diagnostics, call),
        "not_expanded": left, "microseconds": expansion.time.as_micros() as u64,
    })
}

/// Null for what the macro made.
fn place_of(span: Span, call: &Call) -> Value {
    match span.is_made() {
        true => Value::Null,
        false => json!({
            "file": call.sources.get(span.file as usize).map(|source| &source.path),
            "start": span.lo, "end": span.hi,
        }),
    }
}

fn diagnostics(given: &[Diagnostic], call: &Call) -> Value {
    let each = given.iter().map(|one| {
        let spans: Vec<Value> = one.spans.iter().map(|span| place_of(*span, call)).collect();
        json!({
            "level": render::word(one.level), "message": one.message, "spans": spans,
            "children": diagnostics(&one.children, call),
        })
    });
    Value::Array(each.collect())
}
