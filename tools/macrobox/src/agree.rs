//! Does the box give what the compiler got? Token for token, spans apart.

use crate::invocation::lex_source;
use crate::{
    Call, Compiler, Error, Expander, Group, Ident, Kind, Library, Literal, Punct, Record,
    Recording, Source, Span, Stream, ToolchainServer, Tree,
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

/// Our tokens of the call's source text beside those that the compiler gave the macro: for
/// function-like calls and attributes' arguments that stand in the source as they are. None for a
/// record that a source text does not show (derives get items without cfg, other macros' calls).
pub fn input(record: &Record) -> Option<Result<Verdict, Error>> {
    let whole = Call { sources: Vec::new(), ..record.call() };
    let text = std::fs::read_to_string(record.path(record.files.first()?)).ok()?;
    // All tokens must come from one place in this file, in order: the input's own text.
    let (mut low, mut high) = (u32::MAX, 0);
    let mut plain = true;
    each_leaf(&whole.input, &mut |tree| {
        let span = tree.span();
        plain &= span.file == 0 && span.lo >= high.min(span.lo);
        (low, high) = (low.min(span.lo), high.max(span.hi));
    });
    let inside = record.kind != Kind::Derive && plain && low < high;
    let within =
        record.kind == Kind::Attribute || (record.site.lo <= low && high <= record.site.hi);
    if !inside || !within || made_by_macro(&text, record) {
        return None;
    }
    let mut part = text.get(low as usize..high as usize)?.to_owned();
    // An attribute after the item's first one stands inside the item: the compiler takes it out.
    if low <= record.site.lo && record.site.hi <= high && record.kind == Kind::Attribute {
        let inside = (record.site.lo - low) as usize..(record.site.hi - low) as usize;
        part.replace_range(inside.clone(), &" ".repeat(inside.len()));
    }
    let source = Source { path: String::new(), text: part, offset: low, line: 1, column: 1 };
    Some(lex_source(&source, 0).map(|ours| match first_difference(&ours, &whole.input) {
        None => Verdict::Same,
        Some((ours, theirs)) => Verdict::Different(ours, theirs),
    }))
}

/// A call that stands inside `macro_rules!`: its tokens are put together from several places.
fn made_by_macro(text: &str, record: &Record) -> bool {
    let before = text.get(..record.site.lo as usize).unwrap_or("");
    let Some(begin) = before.rfind("macro_rules!") else { return false };
    let depth = |text: &str| {
        text.matches(['{', '(']).count() as i64 - text.matches(['}', ')']).count() as i64
    };
    depth(&before[begin..]) > 0
}

fn each_leaf(stream: &Stream, each: &mut impl FnMut(&Tree)) {
    for tree in stream.trees() {
        each(tree);
        if let Tree::Group(group) = tree {
            each_leaf(&group.stream, each);
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
fn leaf(tree: &Tree) -> String {
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
