// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the tap writes of one expansion inside the compiler.

use crate::message::Kind;
use crate::token::{Span, Stream};
use crate::wire::wire_struct;

/// One expansion as the compiler saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The crate that calls.
    pub crate_name: String,
    /// What that crate's compiler was given, and where it ran.
    pub environment: Vec<(String, String)>,
    pub directory: String,
    pub library: String,
    pub kind: Kind,
    pub name: String,
    /// The files that spans point into.
    pub files: Vec<String>,
    pub site: Span,
    pub line: u32,
    pub attribute: Option<Stream>,
    pub input: Stream,
    /// None: it panicked.
    pub output: Option<Stream>,
    pub nanoseconds: u64,
}
wire_struct!(Record {
    crate_name,
    environment,
    directory,
    library,
    kind,
    name,
    files,
    site,
    line,
    attribute,
    input,
    output,
    nanoseconds,
});
