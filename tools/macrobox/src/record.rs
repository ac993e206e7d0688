// SPDX-License-Identifier: MIT OR Apache-2.0

//! All macro calls of a crate, or of all crates of a lock file, as the compiler itself resolves and
//! expands them.
//!
//! Cargo checks them once more in a target folder of our own, with a tap between rustc and the
//! macro libraries. So names, renames, re-exports, cfg, features and calls made by other macros are
//! rustc's own. This run is a normal compilation: it is not boxed.

use crate::cargo::Target;
use crate::compiler::output;
use crate::tap_record::Record;
use crate::wire::{Wire, decode, frame};
use crate::{Call, Compiler, Error, Kind, Options, Source, Stream, ToolchainServer, Tree};
use crate::{interrupt, scratch, toolchain};
use analyzeme::ProfilingData;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the compiler expanded.
#[derive(Debug, Default)]
pub struct Recording {
    /// What the tap saw, in order.
    pub records: Vec<Record>,
    /// What the compiler's self-profile counted: how the macro is named at the call, and where.
    pub counted: Vec<(String, String)>,
    /// Cargo's messages, if the crate does not compile.
    pub failed: Option<String>,
}

impl Recording {
    /// The calls that the compiler counted and the tap did not see: how the macro is named at the call,
    /// and the place.
    pub fn missing(&self) -> Vec<(String, String)> {
        if self.counted.len() <= self.records.len() {
            return Vec::new();
        }
        let seen: HashSet<usize> = self.paired().into_iter().flatten().collect();
        let each = self.counted.iter().enumerate();
        each.filter(|(index, _)| !seen.contains(index)).map(|(_, one)| one.clone()).collect()
    }

    /// By what path the call of each record names its macro, where the compiler counted it.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&Record, &str)> {
        let pairs = self.records.iter().zip(self.paired());
        pairs.filter_map(|(record, at)| Some((record, path_in(&self.counted[at?].0))))
    }

    /// For each record the counted call that it is. Calls that a macro's output makes have the place of
    /// its own call: both lists are in the compiler's order.
    fn paired(&self) -> Vec<Option<usize>> {
        let mut left: HashMap<(String, Kind), VecDeque<usize>> = HashMap::new();
        for (index, (named, span)) in self.counted.iter().enumerate() {
            left.entry((begin(span).into(), kind_of(named))).or_default().push_back(index);
        }
        let is_whole = self.counted.len() <= self.records.len();
        let mut texts = HashMap::new();
        let mut pair = |record: &Record| {
            let place = format!("{}:{}", record.place(), record.column(&mut texts)?);
            let here = left.get_mut(&(place, record.kind))?;
            let has_name = |index: &usize| {
                path_in(&self.counted[*index].0).rsplit("::").next() == Some(&record.name)
            };
            // Where some were not recorded, those with the name before those with whatever name.
            let named = if is_whole { None } else { here.iter().position(has_name) };
            here.remove(named.unwrap_or(0))
        };
        let mut pairs: Vec<Option<usize>> = self.records.iter().map(&mut pair).collect();
        // Where a column is not known, as of a file that has changed since: by the line.
        let mut left: Vec<usize> = left.into_values().flatten().collect();
        left.sort_unstable();
        for (record, pair) in self.records.iter().zip(&mut pairs).filter(|(_, pair)| pair.is_none())
        {
            let line = record.place();
            let is_here = |index: &usize| {
                begin(&self.counted[*index].1)
                    .rsplit_once(':')
                    .is_some_and(|(rest, _)| rest == line)
            };
            let is_named = |index: &usize| self.counted[*index].0.contains(&record.name);
            let at = left.iter().position(|index| is_here(index) && is_named(index));
            *pair = at.or_else(|| left.iter().position(is_here)).map(|at| left.remove(at));
        }
        pairs
    }
}

/// `src/lib.rs:3:1` of `src/lib.rs:3:1: 3:9`.
fn begin(span: &str) -> &str {
    span.rsplit_once(": ").map_or(span, |(place, _)| place)
}

/// Of a call as the self-profile names it: `a::b!`, `#[a::b]` or `#[derive(a::b)]`.
fn kind_of(named: &str) -> Kind {
    match named {
        _ if named.starts_with("#[derive(") => Kind::Derive,
        _ if named.starts_with("#[") => Kind::Attribute,
        _ => Kind::Function,
    }
}

/// `a::b` of it.
fn path_in(named: &str) -> &str {
    let derive = named.strip_prefix("#[derive(").and_then(|rest| rest.strip_suffix(")]"));
    let attribute = || named.strip_prefix("#[").and_then(|rest| rest.strip_suffix(']'));
    derive.or_else(attribute).or_else(|| named.strip_suffix('!')).unwrap_or(named)
}

/// A file's text as the compiler counts its bytes: without a byte order mark, and each line's end one
/// byte.
pub(crate) fn source_text(path: &Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

/// The variable by which our rustc wrapper knows its task: a crate's name, or [`EVERY_CRATE`].
pub(crate) const TASK: &str = "MACROBOX_RECORD";

/// The variable by which we know that the tap asks us, inside a compiler, for the names of a library's
/// macros; and that of the program which reads them.
pub(crate) const LIBRARY: &str = "MACROBOX_LIBRARY";
const READER: &str = "MACROBOX_READER";

pub(crate) const EVERY_CRATE: &str = "*";

/// Checks `target` and records every procedural macro call in it.
pub fn record(compiler: &Compiler, target: &Target) -> Result<Recording, Error> {
    let tap = compiler.tap(|| ())?;
    let folder = target.folder.join("recorded");
    let _alone = alone(&target.folder.join("recording.lock"))?;
    // The profile may be large: it goes as soon as it is read, and with a Ctrl-C.
    let _folder = interrupt::folder(&folder).map_err(Error::io("making a folder"))?;
    let program = std::env::current_exe().map_err(Error::io("finding this program"))?;
    // Only what calls macros is to be checked anew; cargo keeps the others.
    let mut clean = target.cargo("clean");
    for package in &target.callers {
        clean.args(["--package", package]);
    }
    if !target.callers.is_empty() {
        run_clean(&mut clean, &target.folder)?;
    }
    let every_crate = target.crate_name == EVERY_CRATE;
    let variable = if every_crate { "RUSTC_WRAPPER" } else { "RUSTC_WORKSPACE_WRAPPER" };
    let mut command = target.cargo("check");
    command.args(target.selection()).env(variable, &program).env(TASK, &target.crate_name);
    command.env("MACROBOX_TAP_LIBRARY", &tap).env("MACROBOX_PROFILE", &folder);
    if let Ok(reader) = toolchain::program(compiler) {
        command.env("MACROBOX_NAMES", &program).env(READER, reader);
    }
    let ended = interrupt::output(&mut command).map_err(Error::io("starting cargo check"))?;
    let failed =
        (!ended.status.success()).then(|| String::from_utf8_lossy(&ended.stderr).into_owned());
    let (mut records, mut counted) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(&folder).map_err(Error::io("reading the record"))?.flatten() {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("tap") => {
                let bytes = std::fs::read(&path).map_err(Error::io("reading the record"))?;
                records.extend(read_records(&bytes)?);
            }
            Some("mm_profdata") => counted.extend(read_profile(&path)?),
            _ => {}
        }
    }
    Ok(Recording { records, counted, failed })
}

/// Runs `cargo clean` on our own target `folder`. Where it fails, cargo may keep what was to be built
/// anew, and nobody sees its calls.
pub(crate) fn run_clean(clean: &mut Command, folder: &Path) -> Result<(), Error> {
    // Cargo marks a target folder that it makes itself, and from 1.99 on cleans no other. Ours may have
    // been made before, for the lock in it.
    let mark = folder.join("CACHEDIR.TAG");
    if folder.exists() && !mark.exists() {
        let signature = "Signature: 8a477f597d28d172789f06886806bc55\n";
        std::fs::write(&mark, signature).map_err(Error::io("marking the target folder"))?;
    }
    let ended = interrupt::output(clean).map_err(Error::io("starting cargo clean"))?;
    match ended.status.success() {
        true => Ok(()),
        false => {
            let stderr = String::from_utf8_lossy(&ended.stderr);
            Err(Error::Cargo(format!("cargo clean failed:\n{}", stderr.trim_end())))
        }
    }
}

/// Waits until no other recording uses the same target folder, which would take this one's calls:
/// cargo checks a crate for one of them only. Holds until the file is dropped.
fn alone(path: &Path) -> Result<File, Error> {
    let failed = || Error::io(format!("locking {}", path.display()));
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed())?;
    let file = File::create(path).map_err(failed())?;
    scratch::lock(&file, true).map_err(failed())?;
    Ok(file)
}

/// Runs as rustc's wrapper: the crate of the task gets the tap, every other one plain rustc.
pub(crate) fn wrap_rustc(task: &str, mut arguments: impl Iterator<Item = OsString>) -> i32 {
    use std::os::unix::process::CommandExt;
    let rustc = arguments.next().unwrap_or_else(|| "rustc".into());
    let arguments: Vec<_> = arguments.collect();
    // Cargo asks rustc about itself with a crate of this name.
    let is_task = |name: &OsStr| name == task || task == EVERY_CRATE && name != "___";
    let named = arguments.windows(2).any(|two| two[0] == "--crate-name" && is_task(&two[1]));
    // Build scripts ask the compiler too, with crates that may not compile: not by cargo's JSON.
    let by_cargo = arguments.iter().any(|argument| argument == "--error-format=json");
    let mut command = Command::new(rustc);
    command.args(arguments);
    if named
        && by_cargo
        && let Some(library) = std::env::var_os("MACROBOX_TAP_LIBRARY")
    {
        let folder = std::env::var_os("MACROBOX_PROFILE").unwrap_or_default();
        let mut profile = OsString::from("-Zself-profile=");
        profile.push(&folder);
        command.arg(profile).arg("-Zself-profile-events=generic-activity,function-args");
        let tap = Path::new(&folder).join(format!("{}.tap", std::process::id()));
        command.env("MACROBOX_TAP", tap).env("LD_PRELOAD", library).env("RUSTC_BOOTSTRAP", "1");
    }
    // A macro that never ends goes with cargo, and that with the tool.
    let _ = interrupt::end_with_parent();
    eprintln!("{}", command.exec());
    1
}

/// Runs for the tap, inside the compiler: says what the macros of `library` are called, where its list
/// does not. That compiler loads it too, without a box, and so does the toolchain's server here.
pub(crate) fn tell_names(library: &Path) -> i32 {
    let _ = interrupt::end_with_parent();
    let reader = std::env::var_os(READER).unwrap_or_default();
    match ToolchainServer::at(reader.into(), Duration::from_secs(60)).list_at(library) {
        Ok(listed) => {
            let told = std::io::stdout().write_all(&frame(|w| listed.write(w)));
            told.is_err().into()
        }
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

fn read_records(mut bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let damaged = || Error::Cargo("the tap's record is damaged".into());
    let mut records = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let (frame, rest) =
            rest.split_at_checked(u32::from_le_bytes(*head) as usize).ok_or_else(damaged)?;
        records.push(decode(frame).map_err(|_| damaged())?);
        bytes = rest;
    }
    Ok(records)
}

/// Every `expand_proc_macro` of the self-profile at `path`.
fn read_profile(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let data = ProfilingData::new(&path.with_extension(""))
        .map_err(|error| Error::Cargo(format!("the self-profile cannot be read: {error}")))?;
    let calls = data.iter_full().filter(|event| event.label == "expand_proc_macro");
    let each = calls.map(|event| {
        let mut details = event.additional_data.iter().map(ToString::to_string);
        (details.next().unwrap_or_default(), details.next().unwrap_or_default())
    });
    Ok(each.collect())
}

impl Record {
    /// The same call, to be expanded in the box. Files are read again for their text; where that
    /// fails, spans have no text and no line.
    pub fn call(&self) -> Call {
        let mut sources = Vec::new();
        for file in &self.files {
            let text = source_text(&self.path(file)).unwrap_or_default();
            sources.push(Source { path: file.clone(), text, offset: 0, line: 1, column: 1 });
        }
        self.trim(&mut sources);
        Call {
            kind: self.kind,
            name: self.name.clone(),
            attribute: self.attribute.clone(),
            input: self.input.clone(),
            site: self.site,
            sources,
        }
    }

    /// Where `file` lies: its name is relative to where the compiler ran.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        Path::new(&self.directory).join(file)
    }

    /// `base`, and the macro sees what the compiler gave to it; what `base` names itself stays.
    pub fn surrounded(&self, base: &Options) -> Options {
        let mut options = base.clone();
        let is_given = |name: &str| base.environment.iter().any(|(given, _)| given == name);
        let rest = self.environment.iter().filter(|(name, _)| !is_given(name));
        options.environment.extend(rest.cloned());
        options.directory = self.directory.clone().into();
        options
    }

    /// From where to where the call's spans reach in each file: an attribute's over its item.
    pub(crate) fn reach(&self) -> HashMap<u32, (u32, u32)> {
        let mut reach: HashMap<u32, (u32, u32)> = HashMap::new();
        let mut grow = |file, lo: u32, hi: u32| {
            let known = reach.entry(file).or_insert((lo, hi));
            *known = (known.0.min(lo), known.1.max(hi));
        };
        grow(self.site.file, self.site.lo, self.site.hi);
        let mut each = |tree: &Tree| {
            let span = tree.span();
            if !span.is_made() {
                grow(span.file, span.lo, span.hi);
            }
        };
        let attribute = self.attribute.iter();
        attribute.chain([&self.input]).for_each(|stream| walk(stream, &mut each));
        reach
    }

    /// Keeps of each file only what the call's spans reach: a file may be long and calls many.
    fn trim(&self, sources: &mut [Source]) {
        let reach = self.reach();
        for (index, source) in sources.iter_mut().enumerate() {
            let (lo, hi) = reach.get(&(index as u32)).copied().unwrap_or((0, 0));
            let Some(part) = source.text.get(lo as usize..hi as usize).map(String::from) else {
                continue;
            };
            let before = &source.text[..lo as usize];
            source.line = before.matches('\n').count() as u32 + 1;
            source.column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
            source.offset = lo;
            source.text = part;
        }
    }

    /// Where on its line the call begins, from 1 and in characters; `texts` are files that were read.
    fn column(&self, texts: &mut HashMap<PathBuf, String>) -> Option<usize> {
        let path = self.path(self.files.first()?);
        let text =
            texts.entry(path).or_insert_with_key(|path| source_text(path).unwrap_or_default());
        let before = text.get(..self.site.lo as usize)?;
        Some(before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
    }

    /// `file:line` of the call.
    pub fn place(&self) -> String {
        format!("{}:{}", self.files.first().map_or("?", String::as_str), self.line)
    }
}

fn walk(stream: &Stream, each: &mut impl FnMut(&Tree)) {
    for tree in stream.trees() {
        each(tree);
        if let Tree::Group(group) = tree {
            walk(&group.stream, each);
        }
    }
}

/// The target folder's place for our own builds.
pub(crate) fn own_target_folder(metadata: &cargo_metadata::Metadata) -> PathBuf {
    metadata.target_directory.join("macrobox").into()
}

/// `cargo metadata` as cargo itself would be run.
pub(crate) fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// True if the toolchain's cargo answers at all.
pub(crate) fn check_cargo() -> Result<(), Error> {
    output(Command::new(cargo_program()).arg("--version")).map(drop)
}
