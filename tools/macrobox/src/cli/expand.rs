// SPDX-License-Identifier: MIT OR Apache-2.0

//! `expand`: one call, or all of a macro's calls in a crate.

use super::BoxOptions;
use super::recursive;
use super::session::{Session, chosen as chosen_options};
use super::wanted::{Place, Wanted, count, shown_name};
use crate::cargo::Selection;
use crate::{
    Call, Diagnostic, Error, Expansion, Failure, Level, Library, Record, Span, Stream, render,
};
use serde_json::{Value, json};
use similar::TextDiff;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

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
    at: Option<Place>,
    /// Expand all calls of this macro in the crate: NAME, CRATE::NAME or as the crate calls it, `*` for
    /// every macro
    #[arg(long = "macro", value_name = "NAME", conflicts_with = "call")]
    name: Option<String>,
    /// The package whose crate or dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package; without it the library, or the binary that has the call
    #[arg(long, conflicts_with_all = ["call", "file"])]
    bin: Option<String>,
    /// Expand calls of the same macro in the output too, until none is left
    #[arg(long)]
    recursive: bool,
    /// Print JSON with the span of every token
    #[arg(long, conflicts_with_all = ["diff", "against"])]
    json: bool,
    /// Compare with the last time
    #[arg(long)]
    diff: bool,
    /// Compare with what another version of the macro crate makes of it: `1.0.200` of the registry,
    /// a folder with its package, or a built library
    #[arg(long, value_name = "VERSION", conflicts_with = "diff")]
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
    let mut job = Job {
        arguments,
        good: true,
        failed: 0,
        json: Vec::new(),
        memory: selection.own_folder()?.join("last"),
        shown: HashMap::new(),
        selection,
        records: &[],
        others: Vec::new(),
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
    let name = arguments.name.as_deref();
    let wanted = Wanted { at: arguments.at.as_ref(), name: name.unwrap_or("*") };
    let (package, binary) = (arguments.package.as_deref(), arguments.bin.as_deref());
    let Some(recording) = wanted.find(selection, package, binary, &mut session)? else {
        job.finish();
        return Ok(false);
    };
    job.records = &recording.records;
    let chosen = wanted.of(&recording, &session);
    let base = chosen_options(options);
    for record in &chosen {
        let library = session.library(&record.library)?;
        session.surround(record, &base);
        job.one(&mut session, &library, &record.call(), Some(record))?;
    }
    job.finish();
    count(&recording, name, &chosen, job.failed);
    Ok(job.good)
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

struct Job<'a> {
    arguments: &'a Arguments,
    good: bool,
    /// How many calls.
    failed: usize,
    json: Vec<Value>,
    /// Where the last expansions are kept, for `--diff`.
    memory: PathBuf,
    /// How many calls of each key were shown: several may stand at one place.
    shown: HashMap<u64, usize>,
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
        let last = self.last(library, call);
        let Some((expansion, left)) = self.expansion(session, library, call, record)? else {
            return Ok(());
        };
        let (complaints, errors) =
            render::complaints(&expansion.diagnostics, &expansion.stream, call.site, &call.sources);
        eprint!("{complaints}{}{}", expansion.stdout, expansion.stderr);
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
            if let Some((theirs, _)) = self.expansion(session, &library, call, record)? {
                print_diff(&render::pretty(&theirs.stream), &text, other, "this one");
            }
        } else if self.arguments.diff {
            match std::fs::read_to_string(&last) {
                Ok(last) => print_diff(&last, &text, "last time", "now"),
                Err(_) => println!("// nothing to compare with: this is the first time"),
            }
        } else if render::coloured() {
            print!("{}", render::highlight(&text));
        } else {
            print!("{text}");
        }
        remember(&last, &text);
        Ok(())
    }

    /// What becomes of `call`, and which calls are left in it; none if the macro failed, which is told.
    fn expansion(
        &mut self,
        session: &mut Session,
        library: &Library,
        call: &Call,
        record: Option<&Record>,
    ) -> Result<Option<(Expansion, Vec<String>)>, Error> {
        let mut expansion = match session.expand(library, call) {
            Ok(expansion) => expansion,
            Err(error) if error.failure().is_some() => {
                self.fail(&error, call, record);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let left = match self.arguments.recursive {
            true => recursive::expand(session, library, call, self.records, &mut expansion)?,
            false => Vec::new(),
        };
        Ok(Some((expansion, left)))
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
        eprint!("{said}{}{}", before.stdout, before.stderr);
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

    /// Where the next call is kept that has this one's macro and place.
    fn last(&mut self, library: &Library, call: &Call) -> PathBuf {
        let place = call.sources.first().map(|source| (&source.path, source.line, source.column));
        let mut hasher = DefaultHasher::new();
        (library.crate_name(), &call.name, place).hash(&mut hasher);
        let shown = self.shown.entry(hasher.finish()).or_default();
        *shown += 1;
        shown.hash(&mut hasher);
        self.memory.join(format!("{:016x}.rs", hasher.finish()))
    }

    fn finish(&mut self) {
        if self.arguments.json {
            println!("{:#}", Value::Array(std::mem::take(&mut self.json)));
        }
    }
}

/// Keeps `text` for `--diff` the next time; where that cannot be, this time's output stands all the same.
fn remember(path: &Path, text: &str) {
    let folder = path.parent().unwrap_or(Path::new("."));
    let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    if let Err(error) = kept {
        eprintln!("warning: not kept for --diff in {}: {error}", path.display());
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
