// SPDX-License-Identifier: MIT OR Apache-2.0

//! Expands calls in the box, and says in types how that went.

use crate::library::Stamp;
use crate::memory;
use crate::message::{Answer, End, Expanded, Note, Program, Reply, Request};
use crate::process::Process;
use crate::toolchain;
use crate::wire::{DEEPEST, Malformed, decode};
use crate::{
    Allow, Before, Call, Compiler, Declared, Diagnostic, Error, Failure, Library, Limits, Stream,
    Vary, Watch, to_text,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

/// How macros are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What one expansion may use up.
    pub limits: Limits,
    /// What the box lets through.
    pub allow: Allow,
    /// What is noted.
    pub watch: Watch,
    /// What differs from run to run.
    pub vary: Vary,
    /// The macro's whole environment; nothing of the caller's leaks in.
    pub environment: Vec<(String, String)>,
    /// The macro's current directory; empty for the caller's.
    pub directory: PathBuf,
    /// How often a server that ended is started again before [`Error::ServerLost`].
    pub restarts: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            limits: Limits {
                wall_milliseconds: 10_000,
                cpu_seconds: 10,
                memory: memory::fitting(),
                output: 32 << 20, // decoded, it takes about sixteen times as much
                descriptors: 256,
            },
            allow: Allow::default(),
            watch: Watch::default(),
            vary: Vary::default(),
            environment: Vec::new(),
            directory: PathBuf::new(),
            restarts: 3,
        }
    }
}

/// What became of one call that did not fail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expansion {
    /// The macro's output.
    pub stream: Stream,
    /// What it emitted through the compiler.
    pub diagnostics: Vec<Diagnostic>,
    /// One line per call over the bridge, if that was watched.
    pub trace: Vec<String>,
    /// What it told the compiler to depend on, and what environment and clock it read.
    pub tracked: Vec<String>,
    /// What it asked of the kernel, if that was watched: `kind`, call, detail and verdict by tabs.
    pub touches: Vec<String>,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
    /// The macro alone, within its process.
    pub time: Duration,
    /// Loading the library.
    pub load_time: Duration,
    /// The whole request: fork, box, load, expansion, answer.
    pub wall_time: Duration,
    /// The most memory its process held, in bytes.
    pub memory: u64,
}

impl Expansion {
    /// The output as source text.
    pub fn text(&self) -> String {
        to_text(&self.stream)
    }
}

/// Runs macros in the box, one at a time. Dropping it ends the server and removes what it made.
pub struct Expander {
    compiler: Compiler,
    server: PathBuf,
    /// This compiler's libraries do not list their macros' names.
    is_nameless: bool,
    /// What they are, where they do not: of the file as it was.
    known: HashMap<PathBuf, (Stamp, Vec<Declared>)>,
    process: Option<Process>,
    options: Options,
    lost: u32,
}

impl Expander {
    /// A running server for `compiler`, which is built first if it never was (a few seconds).
    pub fn new(compiler: &Compiler, options: Options) -> Result<Self, Error> {
        Self::with_progress(compiler, options, || {})
    }

    /// As [`new`](Self::new); `building` is called before a server is built.
    pub fn with_progress(
        compiler: &Compiler,
        options: Options,
        building: impl FnOnce(),
    ) -> Result<Self, Error> {
        let server = compiler.server(building)?;
        let process = Process::start(&server)?;
        Ok(Expander {
            compiler: compiler.clone(),
            is_nameless: process.hello.is_nameless,
            known: HashMap::new(),
            server,
            process: Some(process),
            options,
            lost: 0,
        })
    }

    /// The options, to be changed for the next call.
    pub fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    /// What this kernel enforces, one line each.
    pub fn enforced(&self) -> Vec<String> {
        let Some(hello) = self.process.as_ref().map(|process| &process.hello) else {
            return Vec::new();
        };
        let limits = self.options.limits;
        let Limits { wall_milliseconds, cpu_seconds, memory, descriptors, .. } = limits;
        let output = limits.most_output();
        let landlock = match hello.landlock {
            0 => "NOT enforced: writes outside the scratch folder (no landlock)".to_owned(),
            version => format!("writes only below {} (landlock {version})", hello.scratch),
        };
        let seccomp = match hello.seccomp {
            false => "NOT enforced: network, exec, signals to others (no seccomp)",
            true => "no network, no exec or fork, no signals to others (seccomp)",
        };
        let limits = format!(
            "{wall_milliseconds} ms, {cpu_seconds} s of CPU, {megabytes} MB of memory, {output} bytes \
             of output, {descriptors} descriptors",
            megabytes = memory >> 20
        );
        vec![landlock, seccomp.into(), limits]
    }

    /// True if this kernel lets the server see what macros ask of it.
    pub fn sees_touches(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.hello.seccomp)
    }

    /// The server's process number, while it runs.
    pub fn server_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// The macros of `library`, by loading it in the box.
    pub fn list(&mut self, library: &Library) -> Result<Vec<Declared>, Error> {
        match self.is_nameless {
            true => self.names(library),
            false => self.load(library).map(|(declared, _)| declared),
        }
    }

    /// The same, with what loading printed, asked of the kernel and read, if that is watched.
    pub fn load(&mut self, library: &Library) -> Result<(Vec<Declared>, Before), Error> {
        let name = library.path().display().to_string();
        let names = [&*name];
        let reply = match self.ask(library, Vec::new()) {
            // Its names were read unwatched, and it failed then: once more, for what it asks.
            Err(Error::Macro { name, failure, .. }) if self.options.watch.touches => {
                let request = self.request(library)?;
                let mut notes = Notes::read(&self.send(&request)?, &names);
                let before = notes.each.swap_remove(0).into();
                return Err(Error::Macro { name, failure, before });
            }
            other => other?,
        };
        let mut notes = Notes::read(&reply, &names);
        let answer = answer(&reply, &self.options.limits, &mut notes)?;
        Ok((answer.declared, notes.each.swap_remove(0)))
    }

    /// Expands one call, in a process of its own.
    pub fn expand(&mut self, library: &Library, call: &Call) -> Result<Expansion, Error> {
        let mut all = self.expand_together(library, std::slice::from_ref(call))?;
        all.pop().unwrap_or(Err(Error::Name("no call was given".into())))
    }

    /// Expands calls one after the other in one process, as the compiler does. What the process printed
    /// and asked of the kernel is told with the first of them, or with the one that ended it.
    pub fn expand_together(
        &mut self,
        library: &Library,
        calls: &[Call],
    ) -> Result<Vec<Result<Expansion, Error>>, Error> {
        let reply = self.ask(library, calls.to_vec())?;
        let names: Vec<&str> = calls.iter().map(|call| &*call.name).collect();
        let mut notes = Notes::read(&reply, &names);
        let answer = answer(&reply, &self.options.limits, &mut notes)?;
        if answer.expanded.len() != calls.len() {
            return Err(notes.fail(Failure::Malformed));
        }
        notes.each.resize(calls.len(), Before::default()); // of calls that said nothing
        let load_time = Duration::from_nanos(answer.load_nanoseconds);
        let each = names.iter().zip(notes.each).zip(answer.expanded);
        let each = each.map(|((name, before), one)| {
            let wall_time = Duration::from_nanos(reply.wall_nanoseconds);
            expansion(name, before, one, [load_time, wall_time], answer.usage.1)
        });
        Ok(each.collect())
    }

    fn ask(&mut self, library: &Library, calls: Vec<Call>) -> Result<Reply, Error> {
        let streams = calls.iter().flat_map(|call| call.attribute.iter().chain([&call.input]));
        if streams.into_iter().any(|stream| stream.is_deeper(DEEPEST)) {
            return Err(Error::TooDeep(DEEPEST));
        }
        let mut request = self.request(library)?;
        request.calls = calls;
        if !self.is_nameless {
            return self.send(&request);
        }
        loop {
            // Names are of the file that is loaded: built anew meanwhile, it is asked again.
            let before = library.stamp();
            request.declared = self.names(library)?;
            let reply = self.send(&request)?;
            if library.stamp() == before {
                return Ok(reply);
            }
        }
    }

    /// Of `library`, by the options, without a call.
    fn request(&self, library: &Library) -> Result<Request, Error> {
        let Options { limits, allow, watch, vary, environment, directory, .. } = &self.options;
        let directory = match directory.as_os_str().is_empty() {
            true => std::env::current_dir().map_err(Error::io("finding the current directory"))?,
            false => directory.clone(),
        };
        Ok(Request {
            library: library.path().display().to_string(),
            symbol: library.symbol().into(),
            declared: Vec::new(),
            program: None,
            calls: Vec::new(),
            environment: environment.clone(),
            directory: directory.display().to_string(),
            limits: *limits,
            allow: allow.clone(),
            watch: watch.clone(),
            vary: vary.clone(),
        })
    }

    /// The names of `library`'s macros, which the toolchain's own server reads from its metadata. It
    /// loads the library too, so it runs in the box.
    fn names(&mut self, library: &Library) -> Result<Vec<Declared>, Error> {
        let stamp = library.stamp();
        if let Some((of, known)) = self.known.get(library.path())
            && *of == stamp
        {
            return Ok(known.clone());
        }
        let mut request = self.request(library)?;
        request.program = Some(Program {
            path: toolchain::program(&self.compiler)?.display().to_string(),
            input: format!("{}\n", toolchain::list_request(library.path())),
            answer: toolchain::LIST_ANSWER.into(),
        });
        let (name, value) = toolchain::PERMISSION;
        request.environment.push((name.into(), value.into()));
        // The compiler is a part of it, which is larger than a macro.
        let Limits { memory, output, .. } = &mut request.limits;
        *memory = if *memory == 0 { 0 } else { (*memory).max(1 << 30) };
        *output = if *output == 0 { 0 } else { (*output).max(1 << 20) };
        request.allow.weak |= request.allow.everything; // a debugger waits for the expansion
        request.allow.everything = false;
        request.watch = Watch::default();
        let reply = self.send(&request)?;
        let place = library.path().display().to_string();
        let names = [&*place];
        let mut notes = Notes::read(&reply, &names);
        if reply.end != End::Told {
            let answer = answer(&reply, &request.limits, &mut notes);
            return Err(answer.err().unwrap_or_else(|| notes.fail(Failure::Malformed)));
        }
        let text = String::from_utf8_lossy(&reply.stdout);
        let told = text.find(toolchain::LIST_ANSWER).and_then(|at| text[at..].lines().next());
        let told = told.and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let listed = toolchain::listed(&told).map_err(|failure| notes.fail(failure))?;
        self.known.insert(library.path().into(), (stamp, listed.clone()));
        Ok(listed)
    }

    /// Asks the server, or another one if that has ended.
    fn send(&mut self, request: &Request) -> Result<Reply, Error> {
        loop {
            let process = match &mut self.process {
                Some(process) => process,
                none => none.insert(Process::start(&self.server)?),
            };
            match process.ask(request) {
                Ok(reply) => return Ok(reply),
                Err(error) => {
                    self.process = None;
                    self.lost += 1;
                    if self.lost > self.options.restarts {
                        let reason = error.to_string();
                        return Err(Error::ServerLost { times: self.lost, reason });
                    }
                }
            }
        }
    }
}

/// The child's answer, or how it failed to give one.
fn answer(reply: &Reply, limits: &Limits, notes: &mut Notes) -> Result<Answer, Error> {
    let stderr = String::from_utf8_lossy(&reply.stderr);
    let unread = |why| match why {
        Malformed::TooDeep => Failure::TooDeep(DEEPEST),
        Malformed::Bytes => Failure::Malformed,
    };
    let failure = match reply.end {
        End::Answered => match (notes.unread, decode::<Answer>(&reply.answer)) {
            (Some(why), _) | (None, Err(why)) => unread(why),
            (None, Ok(Answer { refusal: Some(why), .. })) => Failure::NotRun(why),
            (None, Ok(answer)) => return Ok(answer),
        },
        // The server's own word: a child that says the same is only not run.
        End::Weak => {
            let why = decode::<Answer>(&reply.answer).ok().and_then(|answer| answer.refusal);
            let why = why.unwrap_or_else(|| "this kernel cannot enforce the box".into());
            return Err(Error::Weak(format!("{why} (--allow-weak)")));
        }
        End::TimedOut => Failure::TimedOut(Duration::from_millis(limits.wall_milliseconds.into())),
        End::TooMuchOutput => Failure::TooMuchOutput(limits.most_output()),
        End::TooManyProcesses => Failure::TooManyProcesses,
        End::Told => Failure::Malformed, // nobody asked a program
        End::Exited => Failure::Exited(reply.code),
        End::Signalled if stderr.contains("has overflowed its stack") => Failure::StackOverflow,
        End::Signalled if stderr.contains("memory allocation of") => {
            Failure::OutOfMemory(limits.memory)
        }
        End::Signalled if reply.code == 24 => Failure::OutOfTime,
        End::Signalled => Failure::Crashed(reply.code),
    };
    Err(notes.fail(failure))
}

/// What the child said before its answer, or before its end.
struct Notes<'a> {
    names: &'a [&'a str],
    /// By call, up to the one that was the last to begin. What the server itself knows, which is of the
    /// whole process, stands with the first.
    each: Vec<Before>,
    /// Why the rest was not read.
    unread: Option<Malformed>,
}

impl<'a> Notes<'a> {
    /// Those of `reply`, to calls of these macros.
    fn read(reply: &Reply, names: &'a [&'a str]) -> Self {
        let mut notes = Notes { names, each: vec![Before::of(reply)], unread: None };
        let mut bytes = &*reply.notes;
        while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
            // The server passes on whole frames only.
            let (frame, rest) = rest.split_at(rest.len().min(u32::from_le_bytes(*head) as usize));
            bytes = rest;
            let begun = notes.each.len();
            let Some(before) = notes.each.last_mut() else { break };
            match decode(frame) {
                Ok(Note::Trace(line)) => before.trace.push(line),
                Ok(Note::Diagnostic(given)) => before.diagnostics.push(given),
                Ok(Note::Tracked(what)) => before.tracked.push(what),
                Ok(Note::Next) if begun < names.len() => notes.each.push(Before::default()),
                Ok(Note::Next) => notes.unread = Some(Malformed::Bytes),
                Err(why) => notes.unread = Some(why),
            }
            if notes.unread.is_some() {
                break;
            }
        }
        notes
    }

    /// The macro that was the last to begin, and how it failed.
    fn fail(&mut self, failure: Failure) -> Error {
        let name = self.names.get(self.each.len().saturating_sub(1)).copied().unwrap_or_default();
        let mut before = self.each.pop().unwrap_or_default();
        if let Some(first) = self.each.first_mut() {
            before.stdout = std::mem::take(&mut first.stdout);
            before.stderr = std::mem::take(&mut first.stderr);
            before.touches = std::mem::take(&mut first.touches);
        }
        Error::Macro { name: name.into(), failure, before: before.into() }
    }
}

impl Before {
    /// What the server itself knows of it.
    fn of(reply: &Reply) -> Self {
        Before {
            stdout: String::from_utf8_lossy(&reply.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&reply.stderr).into_owned(),
            touches: reply.touches.clone(),
            ..Before::default()
        }
    }
}

fn expansion(
    name: &str,
    before: Before,
    Expanded { result, nanoseconds }: Expanded,
    [load_time, wall_time]: [Duration; 2],
    memory: u64,
) -> Result<Expansion, Error> {
    let stream = match result {
        Ok(stream) => stream,
        Err(message) => {
            let (failure, before) = (Failure::Panicked(message), before.into());
            return Err(Error::Macro { name: name.into(), failure, before });
        }
    };
    let Before { stdout, stderr, touches, trace, diagnostics, tracked } = before;
    let time = Duration::from_nanos(nanoseconds);
    Ok(Expansion {
        stream,
        diagnostics,
        trace,
        tracked,
        touches,
        stdout,
        stderr,
        time,
        load_time,
        wall_time,
        memory,
    })
}
