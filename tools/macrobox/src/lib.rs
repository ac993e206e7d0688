// SPDX-License-Identifier: MIT OR Apache-2.0

//! Procedural macros in a box: run outside the compiler, in a process that may crash, hang or
//! misbehave without harm.
//!
//! ```text
//! your program      | Expander -> socket -> server (trusted, one thread, loads no library)
//!                   |                         | fork per expansion
//! closed-in child   |                         +-> limits, landlock, seccomp -> dlopen -> expand
//! ```
//! The server is built once per compiler, by that compiler, from sources carried in here: Rust has
//! no stable ABI, and so the bridge to a macro library is the compiler's own. Linux on x86-64 only.
//!
//! ```no_run
//! use macrobox::{Call, Compiler, Expander, Kind, Library, Options, Stream};
//! let compiler = Compiler::current()?;
//! let library = Library::open("target/debug/deps/libserde_derive-1.so".as_ref(), &compiler)?;
//! let mut expander = Expander::new(&compiler, Options::default())?;
//! let call = Call::from_source(Kind::Derive, "Serialize", "struct Point { x: i32 }")?;
//! println!("{}", expander.expand(&library, &call)?.text());
//! # Ok::<(), macrobox::Error>(())
//! ```

mod compiler;
mod error;
mod expander;
pub mod flat;
mod interrupt;
mod invocation;
mod library;
mod memory;
mod names;
mod process;
mod record;
mod render;
mod scratch;
mod server_source;
mod toolchain;

pub mod agree;
pub mod background;
pub mod cargo;
pub mod chart;
pub mod cli;
pub mod corpus;
pub mod inputs;
pub mod testing;

#[path = "../server/empty.rs"]
mod empty;
#[path = "../server/lex.rs"]
#[allow(missing_docs, dead_code, reason = "shared with the server, which uses all of it")]
mod lex;
#[path = "../server/message.rs"]
#[allow(missing_docs)]
mod message;
#[path = "../tap/record.rs"]
#[allow(missing_docs)]
mod tap_record;
#[path = "../server/token.rs"]
#[allow(missing_docs)]
mod token;
#[path = "../server/wire.rs"]
#[allow(missing_docs)]
mod wire;

pub use compiler::Compiler;
pub use error::{Before, Error, Failure};
pub use expander::{Expander, Expansion, Options};
pub use lex::{LexError, lex};
pub use library::{Library, Refusal};
pub use message::{Allow, Call, Declared, Diagnostic, Kind, Level, Limits, Source, Vary, Watch};
pub use record::{Recording, record};
pub use tap_record::Record;
pub use token::{
    Delimiter, Group, Hygiene, Ident, Literal, LiteralKind, Punct, Span, Stream, Text, Tree,
    literal_text, to_text, write_text,
};
pub use toolchain::ToolchainServer;

/// A program that calls [`record`] is run again by cargo, in rustc's place, and inside of rustc to tell
/// macros' names: it must ask this first thing in `main`, and end with the code if there is one.
pub fn wrapped() -> Option<std::process::ExitCode> {
    let task = std::env::var(record::TASK).ok()?;
    let code = match std::env::var_os(record::LIBRARY) {
        Some(library) => record::tell_names(library.as_ref()),
        None => record::wrap_rustc(&task, std::env::args_os().skip(1)),
    };
    Some(std::process::ExitCode::from(code as u8))
}
