// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does our lexer read source as the compiler does? Each token that a macro was given stands somewhere
//! in a file. There our lexer must have the same token, and between two of them nothing more.

use crate::agree::{Verdict, leaf};
use crate::invocation::lex_source;
use crate::record::source_text;
use crate::{Delimiter, Record, Source, Span, Stream, Tree, token};
use std::collections::HashMap;
use std::path::PathBuf;

/// Files that were read and lexed.
#[derive(Default)]
pub struct Inputs {
    files: HashMap<PathBuf, Result<Lexed, String>>,
}

/// One call's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputAgreement {
    /// [`Verdict::Same`], the first token that differs, or a file that cannot be read or lexed.
    pub verdict: Verdict,
    /// Tokens that stand in a file, a group counting as its two delimiters.
    pub compared: usize,
    /// All tokens: the others were made by a macro that came before.
    pub all: usize,
}

struct Lexed {
    text: String,
    leaves: Vec<Leaf>,
    /// Where bodies of `macro_rules!` stand: the compiler gives their tokens without their spacing.
    rules: Vec<(u32, u32)>,
}

/// A token without what is in it.
#[derive(Clone)]
struct Leaf {
    span: Span,
    /// All that must agree.
    shown: String,
    /// As source.
    text: String,
}

impl Leaf {
    fn place(&self) -> (u32, u32, u32) {
        (self.span.file, self.span.lo, self.span.hi)
    }
}

impl Inputs {
    /// Compares what the compiler gave to `record`'s macro; none if none of its tokens stands in a
    /// file.
    pub fn compare(&mut self, record: &Record) -> Option<InputAgreement> {
        let mut sum = InputAgreement { verdict: Verdict::Same, compared: 0, all: 0 };
        for stream in record.attribute.iter().chain([&record.input]) {
            let mut theirs = Vec::new();
            flatten(stream, &mut theirs);
            sum.all += theirs.len();
            let mut reached = HashMap::new();
            for same_place in theirs.chunk_by(|one, other| one.place() == other.place()) {
                match self.at(record, same_place, &mut reached) {
                    Ok(true) => sum.compared += same_place.len(),
                    Ok(false) => {}
                    Err(verdict) => return Some(InputAgreement { verdict, ..sum }),
                }
            }
        }
        (sum.compared > 0).then_some(sum)
    }

    /// Compares tokens of one place, and what stands before them since the last ones of that file,
    /// the number of which `reached` holds. False for tokens that no source has.
    fn at(
        &mut self,
        record: &Record,
        theirs: &[Leaf],
        reached: &mut HashMap<u32, usize>,
    ) -> Result<bool, Verdict> {
        let span = theirs[0].span;
        let Some(file) = record.files.get(span.file as usize) else { return Ok(false) };
        let path = record.path(file);
        let lexed = self.files.entry(path.clone()).or_insert_with(|| lexed(&path));
        let lexed = lexed.as_ref().map_err(|why| Verdict::Failed(format!("{file}: {why}")))?;
        let first = lexed.leaves.partition_point(|one| one.span.lo < span.lo);
        let after = lexed.leaves.partition_point(|one| one.span.lo < span.hi);
        let ours = &lexed.leaves[first..after];
        let in_rules = lexed.rules.iter().any(|(lo, hi)| *lo <= span.lo && span.hi <= *hi);
        let show = |leaves: &[Leaf]| {
            let each = leaves.iter().map(|one| match in_rules {
                true => one.shown.replace(" joint", " alone"),
                false => one.shown.clone(),
            });
            each.collect::<Vec<_>>().join(", ")
        };
        if show(ours) != show(theirs) {
            // A token of the source, or ours at that very place: else it was made, with the place of
            // a whole call.
            let text: String = theirs.iter().map(|one| &*one.text).collect();
            let source = lexed.text.get(span.lo as usize..span.hi as usize);
            let is_source = source == Some(&text) && !text.starts_with('$');
            let is_whole = ours.len() > 1
                && ours.iter().all(|one| (one.span.lo, one.span.hi) == (span.lo, span.hi));
            let is_doc = is_whole && source.is_some_and(|source| is_raw_doc(&text, source));
            return match (is_source || is_whole) && !is_doc {
                true => Err(Verdict::Different(show(ours), show(theirs))),
                false => Ok(is_doc),
            };
        }
        let last = reached.insert(span.file, after);
        match last.and_then(|last| lexed.leaves.get(last..first)) {
            Some(skipped) if !may_be_skipped(skipped) => {
                Err(Verdict::Different(show(skipped), "nothing".into()))
            }
            _ => Ok(true),
        }
    }
}

/// Through `macro_rules!` a doc comment comes as a raw string, not as an escaped one.
fn is_raw_doc(text: &str, source: &str) -> bool {
    let body = source.strip_prefix("///").or_else(|| source.strip_prefix("//!"));
    let literal = text.strip_prefix("#[doc=r").and_then(|rest| rest.strip_suffix(']'));
    let literal = literal.map(|literal| literal.trim_matches('#'));
    body.is_some() && literal.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')) == body
}

/// What the compiler takes out, or puts something else in place of: attributes, what cfg removes, and
/// `$name` and `$(..)*` in a body of `macro_rules!`.
fn may_be_skipped(skipped: &[Leaf]) -> bool {
    skipped.first().is_none_or(|one| ["#", "$", ")", "cfg_attr"].contains(&&*one.text))
}

fn lexed(path: &std::path::Path) -> Result<Lexed, String> {
    let text = source_text(path).map_err(|error| error.to_string())?;
    let source = Source { path: String::new(), text, offset: 0, line: 1, column: 1 };
    let stream = lex_source(&source, 0).map_err(|error| error.to_string())?;
    let (mut leaves, mut rules) = (Vec::new(), Vec::new());
    flatten(&stream, &mut leaves);
    find_rules(&stream, &mut rules);
    Ok(Lexed { text: source.text, leaves, rules })
}

/// Tokens in order, a group as its two delimiters; one without delimiters stands nowhere.
fn flatten(stream: &Stream, leaves: &mut Vec<Leaf>) {
    for tree in stream.trees() {
        if let Tree::Group(group) = tree {
            let (open, close) = group.delimiter.pair();
            let seen = group.delimiter != Delimiter::None;
            let mark = |span, text: &str| Leaf { span, shown: text.into(), text: text.into() };
            leaves.extend(seen.then(|| mark(group.open, open)));
            flatten(&group.stream, leaves);
            leaves.extend(seen.then(|| mark(group.close, close)));
            continue;
        }
        let text = match tree {
            Tree::Punct(punct) => char::from(punct.ch).to_string(),
            Tree::Ident(ident) => format!("{}{}", if ident.raw { "r#" } else { "" }, ident.text),
            Tree::Literal(literal) => token::literal_text(literal),
            Tree::Group(_) => String::new(),
        };
        leaves.push(Leaf { span: tree.span(), shown: leaf(tree), text });
    }
}

fn find_rules(stream: &Stream, rules: &mut Vec<(u32, u32)>) {
    let trees = stream.trees();
    for (index, tree) in trees.iter().enumerate() {
        let Tree::Group(group) = tree else { continue };
        match &trees[..index] {
            [.., name, bang, Tree::Ident(_)]
                if name.is_ident("macro_rules") && bang.is_punct(b'!') =>
            {
                rules.push((group.entire.lo, group.entire.hi));
            }
            _ => find_rules(&group.stream, rules),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hygiene, Kind, lex};

    /// A record of a call with these tokens of `source`, whose bytes `changed` are another text.
    fn compared(source: &str, given: &[&str]) -> Verdict {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lib.rs"), source).unwrap();
        let mut trees = Vec::new();
        for part in given {
            let at = source.find(part).unwrap();
            let span = |lo: usize, hi: usize| Span {
                file: 0,
                lo: (at + lo) as u32,
                hi: (at + hi) as u32,
                hygiene: Hygiene::Source,
            };
            trees.extend(lex(part, span).unwrap().into_trees());
        }
        let record = Record {
            crate_name: String::new(),
            environment: Vec::new(),
            directory: folder.path().display().to_string(),
            library: String::new(),
            kind: Kind::Derive,
            name: String::new(),
            files: vec!["lib.rs".into()],
            site: Span::site(Hygiene::Call),
            line: 1,
            attribute: None,
            input: trees.into(),
            output: None,
            nanoseconds: 0,
        };
        Inputs::default().compare(&record).unwrap().verdict
    }

    #[test]
    fn a_token_that_differs_or_that_only_we_have_is_found() {
        assert_eq!(compared("a!(b >= c, 'd)", &["b >= c, 'd"]), Verdict::Same);
        // The compiler's `>` is alone, ours is joint to `=`.
        let spacing = compared("a!(b >= c)", &["b >"]);
        assert!(
            matches!(&spacing, Verdict::Different(ours, _) if ours == "> joint"),
            "{spacing:?}"
        );
        // `x.0.1` as three tokens and more.
        let number = compared("x.0.1", &["x.", "0", ".1"]);
        assert!(matches!(number, Verdict::Different(..)), "{number:?}");
        // Ours has a token more than the compiler gave.
        let more = compared("a b c", &["a", "c"]);
        assert_eq!(more, Verdict::Different("b".into(), "nothing".into()));
        // An attribute is taken out by the compiler, and what cfg is against.
        assert_eq!(compared("x #[cfg(any())] y: u8, z", &["x", "z"]), Verdict::Same);
        assert!(is_raw_doc("#[doc=r#\" a \"b\" \"#]", "/// a \"b\" "));
        assert!(!is_raw_doc("#[doc=r\" a\"]", "/// b"));
    }
}
