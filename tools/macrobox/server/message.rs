// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the tool asks of the server, and what it hears back.

use crate::token::{Span, Stream};
use crate::wire::{Malformed, Reader, Wire, Writer, wire_enum, wire_struct};

/// Raised whenever a message changes its form: part of the cache key of a built server.
pub const PROTOCOL: u32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    Derive,
    Attribute,
    Function,
}
wire_enum!(Kind { Derive, Attribute, Function });

/// One macro of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub kind: Kind,
    pub name: String,
    /// Helper attributes of a derive; none where nobody tells: the lists of Rust 1.99 do not, nor does
    /// the toolchain's server.
    pub helpers: Option<Vec<String>>,
}
wire_struct!(Declared { kind, name, helpers });

/// A file, or the part of one, that spans point into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    pub path: String,
    pub text: String,
    /// Where `text` begins in the file: byte, and line and column counted from 1.
    pub offset: u32,
    pub line: u32,
    pub column: u32,
}
wire_struct!(Source { path, text, offset, line, column });

/// What an expansion may use up. Zero means no limit, but for `output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub wall_milliseconds: u32,
    pub cpu_seconds: u32,
    /// Address space, in bytes.
    pub memory: u64,
    /// Of its answer, and of each of stdout and stderr, in bytes: at most 1 GiB, which zero stands for.
    pub output: u64,
    pub descriptors: u32,
}

impl Limits {
    /// What `output` allows. All three together fit a frame, whose length is a `u32`.
    pub fn most_output(&self) -> u64 {
        let most = 1 << 30;
        if self.output == 0 { most } else { self.output.min(most) }
    }
}
wire_struct!(Limits { wall_milliseconds, cpu_seconds, memory, output, descriptors });

/// What the box lets through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    pub network: bool,
    pub exec: bool,
    /// Folders that may be written below, beside the scratch folder.
    pub write: Vec<String>,
    /// Go on where the kernel lacks a means.
    pub weak: bool,
    /// No box at all, and no limits: for a debugger.
    pub everything: bool,
}
wire_struct!(Allow { network, exec, write, weak, everything });

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// Note each call over the bridge.
    pub trace: bool,
    /// Note what the macro asks of the kernel.
    pub touches: bool,
    /// Wait for a debugger before the library is loaded.
    pub debugger: bool,
}
wire_struct!(Watch { trace, touches, debugger });

/// What differs from run to run of the same call, to see whether its output does too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vary {
    /// Begins the C library's random numbers, from which std seeds its hashers; none: the kernel's.
    pub seed: Option<u64>,
    /// The wall clock goes so many seconds ahead.
    pub clock_seconds: u64,
}
wire_struct!(Vary { seed, clock_seconds });

/// One call of a macro: what the compiler would hand to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub kind: Kind,
    /// The macro's own name, not a name it was imported under.
    pub name: String,
    /// What stands in an attribute's parentheses.
    pub attribute: Option<Stream>,
    /// The item, or what stands between a function-like macro's delimiters.
    pub input: Stream,
    /// Where the call stands.
    pub site: Span,
    /// The files that spans point into.
    pub sources: Vec<Source>,
}
wire_struct!(Call { kind, name, attribute, input, site, sources });

/// A program of the toolchain's, which reads a library as the compiler does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub path: String,
    /// Its standard input: no more than a pipe holds.
    pub input: String,
    /// How its answer begins, which goes to a line's end. Its own end is not waited for: that may be the
    /// library's.
    pub answer: String,
}
wire_struct!(Program { path, input, answer });

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub library: String,
    /// The library's declaration symbol.
    pub symbol: String,
    /// Its macros, where it does not list their names itself.
    pub declared: Vec<Declared>,
    /// Runs this program in the box instead, and loads nothing.
    pub program: Option<Program>,
    /// Expanded one after the other in one process; none: only list.
    pub calls: Vec<Call>,
    /// The macro's whole environment.
    pub environment: Vec<(String, String)>,
    pub directory: String,
    pub limits: Limits,
    pub allow: Allow,
    pub watch: Watch,
    pub vary: Vary,
}
wire_struct!(Request {
    library,
    symbol,
    declared,
    program,
    calls,
    environment,
    directory,
    limits,
    allow,
    watch,
    vary,
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    Error,
    Warning,
    Note,
    Help,
}
wire_enum!(Level { Error, Warning, Note, Help });

/// A message that the macro emits through the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub level: Level,
    pub message: String,
    pub spans: Vec<Span>,
    pub children: Vec<Diagnostic>,
}

/// Messages below messages deeper than this are refused: the compiler's have one below another.
const DEEPEST: usize = 64;

impl Wire for Diagnostic {
    fn write(&self, w: &mut Writer) {
        self.level.write(w);
        self.message.write(w);
        self.spans.write(w);
        self.children.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.deeper(DEEPEST, |r| {
            Ok(Diagnostic {
                level: Wire::read(r)?,
                message: Wire::read(r)?,
                spans: Wire::read(r)?,
                children: Wire::read(r)?,
            })
        })
    }
}

/// What the closed-in child says while a macro works, in a frame each and at once: it is known even if
/// the macro never ends. Not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A call over the bridge, if that is watched.
    Trace(String),
    Diagnostic(Diagnostic),
    /// An environment variable or a file that the macro told the compiler it depends on; and what
    /// environment and clock it read, if that is watched.
    Tracked(String),
    /// What follows is of the next call.
    Next,
}

impl Wire for Note {
    fn write(&self, w: &mut Writer) {
        match self {
            Note::Trace(line) => (1u8.write(w), line.write(w)).1,
            Note::Diagnostic(given) => (2u8.write(w), given.write(w)).1,
            Note::Tracked(what) => (3u8.write(w), what.write(w)).1,
            Note::Next => 4u8.write(w),
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::read(r)? {
            1 => Note::Trace(Wire::read(r)?),
            2 => Note::Diagnostic(Wire::read(r)?),
            3 => Note::Tracked(Wire::read(r)?),
            4 => Note::Next,
            _ => return Err(Malformed::Bytes),
        })
    }
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Expanded {
    /// The output, or the panic's message.
    pub result: Result<Stream, String>,
    pub nanoseconds: u64,
}

impl Wire for Expanded {
    fn write(&self, w: &mut Writer) {
        self.result.is_ok().write(w);
        match &self.result {
            Ok(stream) => stream.write(w),
            Err(message) => message.write(w),
        }
        self.nanoseconds.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let result = if bool::read(r)? { Ok(Stream::read(r)?) } else { Err(String::read(r)?) };
        Ok(Expanded { result, nanoseconds: Wire::read(r)? })
    }
}

/// What the closed-in child says, if it gets that far. Not to be trusted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Why the child did not load the library or found no such macro.
    pub refusal: Option<String>,
    pub declared: Vec<Declared>,
    pub expanded: Vec<Expanded>,
    pub load_nanoseconds: u64,
    /// CPU nanoseconds, and the most memory it held, in bytes.
    pub usage: (u64, u64),
}
wire_struct!(Answer { refusal, declared, expanded, load_nanoseconds, usage });

/// How the child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// Its answer is whole.
    Answered,
    /// There was no child: the kernel lacks what the box needs. The server's own refusal is the
    /// answer.
    Weak,
    /// `code` is the exit code.
    Exited,
    /// `code` is the signal.
    Signalled,
    TimedOut,
    TooMuchOutput,
    TooManyProcesses,
    /// A [`Program`]'s answer is whole: in `stdout`.
    Told,
}
wire_enum!(End {
    Answered,
    Weak,
    Exited,
    Signalled,
    TimedOut,
    TooMuchOutput,
    TooManyProcesses,
    Told,
});

/// What the trusted server says of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub end: End,
    pub code: i32,
    /// The frames of the child's [`Note`]s.
    pub notes: Vec<u8>,
    /// An encoded [`Answer`], from the child.
    pub answer: Vec<u8>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// What the macro asked of the kernel, where that was watched.
    pub touches: Vec<String>,
    pub wall_nanoseconds: u64,
}
wire_struct!(Reply { end, code, notes, answer, stdout, stderr, touches, wall_nanoseconds });

/// The server's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub protocol: u32,
    /// 0: none.
    pub landlock: u32,
    pub seccomp: bool,
    /// Where macros may write; removed when the server ends.
    pub scratch: String,
    /// Libraries of this compiler do not list their macros' names: requests must.
    pub is_nameless: bool,
}
wire_struct!(Hello { protocol, landlock, seccomp, scratch, is_nameless });
