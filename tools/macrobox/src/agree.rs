// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does the box give what the compiler got? Token for token, spans apart.

use crate::{
    Compiler, Error, Expander, Group, Ident, Library, Literal, Punct, Record, Recording, Span,
    Stream, ToolchainServer, Tree,
};
use std::collections::HashMap;

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Equal: identifiers, rawness, punctuation, spacing, literals, delimiters.
    Same,
    /// The first token that differs, ours and the compiler's.
    Different(String, String),
    /// The macro gives something else each time it is asked, so there is nothing to compare with.
    Varies,
    /// The macro failed in one place and not in the other.
    Failed(String),
}

/// One record, expanded again.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// What the compiler saw.
    pub record: Record,
    /// The box beside the compiler.
    pub verdict: Verdict,
    /// Tokens whose span is the compiler's too, of all; of none where the tokens differ.
    pub spans: (usize, usize),
    /// The toolchain's server beside the compiler, if that was asked.
    pub toolchain: Option<Verdict>,
}

/// Replays every record in the box, and in the toolchain's server if one is given.
pub fn replay(
    compiler: &Compiler,
    expander: &mut Expander,
    mut toolchain: Option<&mut ToolchainServer>,
    recording: &Recording,
) -> Result<Vec<Replayed>, Error> {
    let mut libraries: HashMap<String, Library> = HashMap::new();
    let mut verdicts = Vec::new();
    let base = expander.options().clone();
    for record in &recording.records {
        if !libraries.contains_key(&record.library) {
            let library = Library::open(record.library.as_ref(), compiler)?;
            libraries.insert(record.library.clone(), library);
        }
        let library = &libraries[&record.library];
        let call = record.call();
        *expander.options() = record.surrounded(&base);
        let ours = expander.expand(library, &call).map(|expansion| expansion.stream);
        let mut again = || expander.expand(library, &call).map(|expansion| expansion.stream);
        let verdict = judge(&ours, record.output.as_ref(), &mut again);
        let mut spans = (0, 0);
        if let (Verdict::Same, Ok(ours), Some(theirs)) = (&verdict, &ours, &record.output) {
            count_spans(ours, theirs, &mut spans);
        }
        let toolchain = toolchain.as_mut().map(|server| {
            server.surround(expander.options());
            let first = server.expand(library, &call);
            judge(&first, record.output.as_ref(), &mut || server.expand(library, &call))
        });
        verdicts.push(Replayed { record: record.clone(), verdict, spans, toolchain });
    }
    Ok(verdicts)
}

/// What was expanded beside what the compiler got; `again` tells whether it varies.
fn judge(
    ours: &Result<Stream, Error>,
    theirs: Option<&Stream>,
    again: &mut dyn FnMut() -> Result<Stream, Error>,
) -> Verdict {
    match (ours, theirs) {
        (Ok(ours), Some(theirs)) => match first_difference(ours, theirs) {
            None => Verdict::Same,
            Some(difference) => match again() {
                Ok(again) if first_difference(&again, ours).is_some() => Verdict::Varies,
                _ => Verdict::Different(difference.0, difference.1),
            },
        },
        (Err(error), None) if error.failure().is_some() => Verdict::Same,
        (Err(error), _) => Verdict::Failed(error.to_string()),
        (Ok(_), None) => Verdict::Failed("it panicked inside the compiler only".into()),
    }
}

/// Counts the tokens of equal streams, and those of them that come from the same place.
fn count_spans(ours: &Stream, theirs: &Stream, count: &mut (usize, usize)) {
    let place = |span: Span| (span.file, span.lo, span.hi);
    for (one, other) in ours.trees().iter().zip(theirs.trees()) {
        count.1 += 1;
        count.0 += usize::from(place(one.span()) == place(other.span()));
        if let (Tree::Group(one), Tree::Group(other)) = (one, other) {
            count_spans(&one.stream, &other.stream, count);
        }
    }
}

/// The first place where two streams differ, spans apart.
pub fn first_difference(ours: &Stream, theirs: &Stream) -> Option<(String, String)> {
    let (ours, theirs) = (ours.trees(), theirs.trees());
    for index in 0..ours.len().max(theirs.len()) {
        match (ours.get(index), theirs.get(index)) {
            (Some(one), Some(other)) => {
                if let (Tree::Group(one), Tree::Group(other)) = (one, other)
                    && one.delimiter == other.delimiter
                {
                    match first_difference(&one.stream, &other.stream) {
                        None => continue,
                        found => return found,
                    }
                }
                if leaf(one) != leaf(other) {
                    return Some((leaf(one), leaf(other)));
                }
            }
            (one, other) => {
                let show = |tree: Option<&Tree>| tree.map_or("nothing".into(), leaf);
                return Some((show(one), show(other)));
            }
        }
    }
    None
}

/// All of a token that must agree.
pub(crate) fn leaf(tree: &Tree) -> String {
    match tree {
        Tree::Group(Group { delimiter, stream, .. }) => {
            format!("{delimiter:?} group of {} tokens", stream.count())
        }
        Tree::Punct(Punct { ch, joint, .. }) => {
            format!("{} {}", *ch as char, if *joint { "joint" } else { "alone" })
        }
        Tree::Ident(Ident { text, raw, .. }) => format!("{}{text}", if *raw { "r#" } else { "" }),
        Tree::Literal(Literal { kind, text, suffix, .. }) => {
            format!("{kind:?} {text} {}", suffix.as_deref().unwrap_or(""))
        }
    }
}
