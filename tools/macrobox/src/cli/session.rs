// SPDX-License-Identifier: MIT OR Apache-2.0

//! What every task needs: the compiler, the expander, and macros by the names people write.

use super::BoxOptions;
use crate::cargo::{MacroCrate, Selection, Target};
use crate::invocation::{Written, lex_source, read_written};
use crate::names::Names;
use crate::{
    Allow, Call, Compiler, Declared, Error, Expander, Expansion, Hygiene, Library, Options, Record,
    Recording, Source, Span, ToolchainServer, record,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

pub(super) struct Session {
    pub compiler: Compiler,
    /// What the code at hand calls the macro crates.
    pub names: Names,
    /// By the paths that a recording has.
    libraries: HashMap<String, Library>,
    backend: Backend,
}

enum Backend {
    Boxed(Expander),
    /// No box, but tokens: where that was asked for, or our server does not build.
    Toolchain(ToolchainServer),
}

impl Session {
    /// With the box.
    pub fn open(options: &BoxOptions) -> Result<Self, Error> {
        let compiler = Compiler::current()?;
        let expander = expander(&compiler, options)?;
        // A weak box is used only if that is allowed, and never silently.
        let weak = expander.enforced().into_iter().filter(|line| line.starts_with("NOT enforced"));
        weak.filter(|_| options.allow_weak).for_each(|line| eprintln!("warning: {line}"));
        Ok(Self::with(compiler, Backend::Boxed(expander)))
    }

    /// With the `server` that was asked for, else with ours, or without a box where ours does not
    /// build with this compiler.
    pub fn open_for(options: &BoxOptions, server: Option<&str>) -> Result<Self, Error> {
        let unboxed = "the toolchain's server protects nothing but this program's wait";
        if server == Some("toolchain") {
            eprintln!("warning: {unboxed}");
        } else {
            match Self::open(options) {
                Err(Error::Build { compiler, .. }) if server.is_none() => eprintln!(
                    "warning: the server does not build with {compiler}, whose bridge this macrobox \
                     does not know. Falling back to the toolchain's own: {unboxed}. `--server own` \
                     shows the compiler's messages."
                ),
                other => return other,
            }
        }
        let compiler = Compiler::current()?;
        let timeout = Duration::from_millis(options.timeout.into());
        let mut server = ToolchainServer::new(&compiler, timeout)?;
        server.surround(&chosen(options));
        Ok(Self::with(compiler, Backend::Toolchain(server)))
    }

    fn with(compiler: Compiler, backend: Backend) -> Self {
        Session { compiler, names: Names::default(), libraries: HashMap::new(), backend }
    }

    /// The library at `path`, which is read once.
    pub fn library(&mut self, path: &str) -> Result<Library, Error> {
        if let Some(library) = self.libraries.get(path) {
            return Ok(library.clone());
        }
        let library = Library::open(path.as_ref(), &self.compiler)?;
        self.libraries.insert(path.into(), library.clone());
        Ok(library)
    }

    /// The box, which every task but `expand` and `list` needs.
    pub fn boxed(&mut self) -> Result<&mut Expander, Error> {
        match &mut self.backend {
            Backend::Boxed(expander) => Ok(expander),
            Backend::Toolchain(_) => {
                Err(Error::Name("the toolchain's server expands and lists, no more".into()))
            }
        }
    }

    /// The next macro sees what the compiler gave to `record`'s.
    pub fn surround(&mut self, record: &Record, base: &Options) {
        let options = record.surrounded(base);
        match &mut self.backend {
            Backend::Boxed(expander) => *expander.options() = options,
            Backend::Toolchain(server) => server.surround(&options),
        }
    }

    /// What the compiler expands in `target`; compiling is shown.
    pub fn record(&mut self, target: &Target) -> Result<Recording, Error> {
        self.names = target.names.clone();
        let spinner = spin("recording macro calls, by compiling");
        let recording = record(&self.compiler, target);
        spinner.finish_and_clear();
        if let Ok(recording) = &recording {
            self.names.learn(recording);
        }
        recording
    }

    pub fn expand(&mut self, library: &Library, call: &Call) -> Result<Expansion, Error> {
        match &mut self.backend {
            Backend::Boxed(expander) => expander.expand(library, call),
            Backend::Toolchain(server) => {
                let start = Instant::now();
                let stream = server.expand(library, call)?;
                Ok(Expansion { stream, wall_time: start.elapsed(), ..Expansion::default() })
            }
        }
    }

    pub fn list(&mut self, library: &Library) -> Result<Vec<Declared>, Error> {
        match &mut self.backend {
            Backend::Boxed(expander) => expander.list(library),
            Backend::Toolchain(server) => server.list(library),
        }
    }

    /// The library whose macro `written` names by what `use .. as` made of it, and its own name there:
    /// the compiler is asked for what the crate of `package` calls by it.
    fn renamed(
        &mut self,
        selection: &Selection,
        package: Option<&str>,
        crates: &[MacroCrate],
        written: &Written,
    ) -> Result<Option<(Library, String)>, Error> {
        // A dependency has no crate here that could be recorded, and a macro crate calls no macro of
        // its own.
        let Ok(target) = selection.target(package, None) else { return Ok(None) };
        if crates.iter().any(|one| target.callers.contains(&one.package)) {
            return Ok(None);
        }
        self.record(&target)?;
        let found: HashSet<_> = self
            .names
            .called(&written.path)
            .filter(|one| one.kind == written.kind)
            .map(|one| (&one.library, &one.name))
            .collect();
        match Vec::from_iter(found)[..] {
            [(library, name)] => {
                Ok(Some((Library::open(library.as_ref(), &self.compiler)?, name.clone())))
            }
            _ => Ok(None),
        }
    }

    /// The one library whose macro `written` names.
    fn named(&mut self, crates: &[MacroCrate], written: &Written) -> Result<Library, Error> {
        let mut found = Vec::new();
        for one in crates {
            let library = one.library(&self.compiler)?;
            let macros = self.list(&library)?;
            if macros
                .iter()
                .any(|known| (known.kind, &*known.name) == (written.kind, written.name()))
            {
                found.push(library);
            }
        }
        let reached = |one: &&Library| self.names.leads_to(&written.path, &one.crate_name());
        let mut chosen = found.iter().filter(reached);
        match (chosen.next(), chosen.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => Err(self.not_found(written, crates, &found)),
            (Some(_), Some(_)) => {
                let all = found.iter().map(|one| one.crate_name()).collect::<Vec<_>>().join(", ");
                let message = "is in several crates: write CRATE::NAME, with one of";
                Err(Error::Name(format!("`{}` {message} {all}", written.path)))
            }
        }
    }

    /// Why `written` is none: `found` have a macro of that name, but not by that path.
    fn not_found(&self, written: &Written, crates: &[MacroCrate], found: &[Library]) -> Error {
        let (name, path) = (written.name(), &written.path);
        let names: Vec<&str> = crates.iter().map(|one| one.package.as_str()).collect();
        let looked = match (found.first(), names.is_empty()) {
            (Some(library), _) => {
                let ways = self.names.ways_to(&library.crate_name());
                format!("`{name}` is there, but reached by {ways}")
            }
            (None, true) => "this package uses no macro crates".to_owned(),
            (None, false) => format!("looked in {}", names.join(", ")),
        };
        Error::Name(format!(
            "no procedural macro `{path}` of this kind: {looked}, and the crate calls none by that name \
             (`cargo macrobox list` shows all)"
        ))
    }

    /// A call given as text: its macros' libraries, and the calls to make (one per derive).
    pub fn written_calls(
        &mut self,
        selection: &Selection,
        package: Option<&str>,
        path: &str,
        text: &str,
    ) -> Result<Vec<(Library, Call)>, Error> {
        let source = Source { path: path.into(), text: text.into(), offset: 0, line: 1, column: 1 };
        let all = read_written(&lex_source(&source, 0)?)?;
        let (crates, names) = selection.named_crates(package)?;
        self.names = names;
        let mut calls = Vec::new();
        for written in all {
            let (library, name) = match self.named(&crates, &written) {
                Ok(library) => (library, written.name().to_owned()),
                Err(unknown @ Error::Name(_)) if !crates.is_empty() => {
                    self.renamed(selection, package, &crates, &written)?.ok_or(unknown)?
                }
                Err(other) => return Err(other),
            };
            let site = Span { file: 0, lo: 0, hi: text.len() as u32, hygiene: Hygiene::Call };
            let Written { kind, attribute, input, .. } = written;
            let sources = vec![source.clone()];
            calls.push((library, Call { kind, name, attribute, input, site, sources }));
        }
        Ok(calls)
    }
}

/// What the command line asks for.
pub(super) fn chosen(options: &BoxOptions) -> Options {
    let mut chosen = Options::default();
    chosen.limits.wall_milliseconds = options.timeout;
    chosen.limits.cpu_seconds = options.timeout.div_ceil(1000);
    if let Some(megabytes) = options.memory {
        chosen.limits.memory = megabytes << 20;
    }
    let allows = |what: &str| options.allow.iter().any(|one| one == what);
    chosen.environment = options.env.clone();
    chosen.allow = Allow {
        network: allows("net"),
        exec: allows("exec"),
        write: options.allow_write.iter().map(|path| path.display().to_string()).collect(),
        weak: options.allow_weak,
        everything: false,
    };
    chosen
}

/// Its expander; building the server is shown.
pub(super) fn expander(compiler: &Compiler, options: &BoxOptions) -> Result<Expander, Error> {
    let mut spinner = None;
    let building =
        || spinner = Some(spin(&format!("building the server for {}", compiler.version())));
    let expander = Expander::with_progress(compiler, chosen(options), building);
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    expander
}

/// Counts what takes long.
pub(super) fn count(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// Says what takes long.
pub(super) fn spin(message: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
