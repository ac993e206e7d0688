//! What the tap writes of one expansion inside the compiler.

use crate::message::Kind;
use crate::token::{Span, Stream};
use crate::wire::wire_struct;

/// One expansion as the compiler saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
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
