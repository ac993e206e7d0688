// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can go wrong, by whose fault it is.

use crate::{Diagnostic, LexError, Refusal};
use std::path::PathBuf;
use std::time::Duration;

/// Anything that keeps an expansion from its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The macro, or the process it ran in: the next expansion is not affected.
    #[error("`{name}` {failure}")]
    Macro {
        /// The macro's name.
        name: String,
        /// How it failed.
        failure: Failure,
        /// What it did before.
        before: Box<Before>,
    },
    /// The library is refused, unloaded.
    #[error("{path}: {refusal}", path = path.display())]
    Library {
        /// The library's file.
        path: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// The text given as a call is no token stream.
    #[error("line {line}, column {column}: {error}", error = error.message)]
    Lex {
        /// What is wrong with it.
        error: LexError,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
    },
    /// The call's groups are nested deeper than the box reads.
    #[error("the call's groups are nested deeper than {0}: the box reads no deeper")]
    TooDeep(usize),
    /// The server does not build with this compiler.
    #[error(
        "the server does not build with {compiler}: its bridge is probably not the one that this tool \
         speaks. Use a newer macrobox, or a compiler that has it, as by `cargo +1.95 macrobox`; `expand` and \
         `list` fall back to the toolchain's server, without a box.\n{output}"
    )]
    Build {
        /// Its version line.
        compiler: String,
        /// The compiler's messages.
        output: String,
    },
    /// The server ended, and again after each restart that the options allow.
    #[error("the expansion server ended {times} times; the last time: {reason}")]
    ServerLost {
        /// How often.
        times: u32,
        /// What was seen of it.
        reason: String,
    },
    /// The server's kernel cannot enforce what the options ask for.
    #[error("{0}")]
    Weak(String),
    /// Asking cargo or rustc failed.
    #[error("{0}")]
    Cargo(String),
    /// No such macro, or more than one.
    #[error("{0}")]
    Name(String),
    /// The system refused something.
    #[error("{doing}: {error}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's answer.
        error: std::io::Error,
    },
}

/// What a macro did before it failed, in whatever way, or a library while it was loaded: it is noted as it
/// happens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Before {
    /// What it printed.
    pub stdout: String,
    /// What it, or the runtime on its behalf, printed as errors.
    pub stderr: String,
    /// What it asked of the kernel, if that was watched.
    pub touches: Vec<String>,
    /// One line per call over the bridge, if that was watched.
    pub trace: Vec<String>,
    /// What it emitted through the compiler.
    pub diagnostics: Vec<Diagnostic>,
    /// What it told the compiler to depend on, and what environment and clock it read.
    pub tracked: Vec<String>,
}

/// How a macro failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It panicked, with this message.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A signal ended its process.
    #[error("was ended by signal {0} ({name})", name = signal_name(*.0))]
    Crashed(i32),
    /// It overflowed its stack.
    #[error("overflowed its stack")]
    StackOverflow,
    /// It asked for more memory than it may have, which is so many bytes.
    #[error("used up its memory limit of {megabytes} MB (--memory)", megabytes = .0 >> 20)]
    OutOfMemory(u64),
    /// It used up its CPU time.
    #[error("used up its limit of CPU time (--timeout)")]
    OutOfTime,
    /// It ended its own process.
    #[error("ended its process with exit code {0} instead of answering")]
    Exited(i32),
    /// It was killed after this time.
    #[error("did not end within {0:?} (--timeout), and was killed")]
    TimedOut(Duration),
    /// It printed or answered more than it may, which is so many bytes.
    #[error("wrote more than its output limit of {megabytes} MB", megabytes = .0 >> 20)]
    TooMuchOutput(u64),
    /// It was let start processes, and started more than 256.
    #[error("started more than 256 processes")]
    TooManyProcesses,
    /// What came back is no answer.
    #[error("sent back something that is no answer")]
    Malformed,
    /// Its output has groups within groups within groups, or its messages have messages.
    #[error(
        "gave an output whose groups are nested deeper than {0}, or messages below messages: the box reads no deeper"
    )]
    TooDeep(usize),
    /// The library could not be loaded, or has no such macro.
    #[error("could not be run: {0}")]
    NotRun(String),
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => "see signal(7)",
    }
}

impl Error {
    /// An [`Error::Io`] maker: `.map_err(Error::io("reading it"))`.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let doing = doing.into();
        move |error| Error::Io { doing, error }
    }

    /// How the macro failed, if it was the macro.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Error::Macro { failure, .. } => Some(failure),
            _ => None,
        }
    }
}
