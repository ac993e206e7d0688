// SPDX-License-Identifier: MIT OR Apache-2.0

//! Tokens as the compiler's bridge names them, and where they come from.

use std::sync::Arc;

/// The text of one token.
pub type Text = Arc<str>;

/// Whose names an identifier with this span sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Hygiene {
    /// The code around the call: a token of the input.
    Source,
    Call,
    Mixed,
    Definition,
}

/// Where a token comes from: bytes `lo..hi` of one of the request's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Index into the request's files; [`Span::NOWHERE`] for the call itself.
    pub file: u32,
    pub lo: u32,
    pub hi: u32,
    pub hygiene: Hygiene,
}

impl Span {
    /// Not a place in the input: the token was made by the macro.
    pub const NOWHERE: u32 = u32::MAX;

    /// The whole call.
    pub const fn site(hygiene: Hygiene) -> Self {
        Span { file: Span::NOWHERE, lo: 0, hi: 0, hygiene }
    }

    /// True for a token that the macro made.
    pub fn is_made(self) -> bool {
        self.file == Span::NOWHERE
    }

    /// From the start of `self` to the end of `other`; none across files.
    pub fn join(self, other: Span) -> Option<Span> {
        (self.file == other.file).then(|| Span {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
            ..self
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Delimiter {
    Parenthesis,
    Brace,
    Bracket,
    /// Invisible: keeps the tokens of one operand together.
    None,
}

impl Delimiter {
    /// The characters around the group.
    pub fn pair(self) -> (&'static str, &'static str) {
        match self {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralKind {
    Byte,
    Char,
    Integer,
    Float,
    Str,
    /// With so many `#`.
    StrRaw(u8),
    ByteStr,
    ByteStrRaw(u8),
    CStr,
    CStrRaw(u8),
    /// The compiler could not read it.
    Error,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub delimiter: Delimiter,
    pub stream: Stream,
    pub open: Span,
    pub close: Span,
    pub entire: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Punct {
    pub ch: u8,
    /// Immediately followed by another punctuation character.
    pub joint: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// Without `r#`.
    pub text: Text,
    pub raw: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    pub kind: LiteralKind,
    /// Between the quotes, escapes as written.
    pub text: Text,
    pub suffix: Option<Text>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Group(Group),
    Punct(Punct),
    Ident(Ident),
    Literal(Literal),
}

impl Tree {
    pub fn span(&self) -> Span {
        match self {
            Tree::Group(group) => group.entire,
            Tree::Punct(punct) => punct.span,
            Tree::Ident(ident) => ident.span,
            Tree::Literal(literal) => literal.span,
        }
    }

    pub fn is_punct(&self, ch: u8) -> bool {
        matches!(self, Tree::Punct(punct) if punct.ch == ch)
    }

    pub fn is_ident(&self, text: &str) -> bool {
        matches!(self, Tree::Ident(ident) if &*ident.text == text && !ident.raw)
    }
}

/// A sequence of tokens. Cloning is a count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stream(pub Arc<Vec<Tree>>);

impl From<Vec<Tree>> for Stream {
    fn from(trees: Vec<Tree>) -> Self {
        Stream(Arc::new(trees))
    }
}

impl Stream {
    pub fn trees(&self) -> &[Tree] {
        &self.0
    }

    pub fn into_trees(self) -> Vec<Tree> {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| (*shared).clone())
    }

    pub fn push(&mut self, tree: Tree) {
        Arc::make_mut(&mut self.0).push(tree);
    }

    pub fn append(&mut self, other: Stream) {
        if self.0.is_empty() {
            *self = other;
        } else {
            Arc::make_mut(&mut self.0).extend(other.into_trees());
        }
    }

    /// True if groups within groups go deeper than `limit`.
    pub fn is_deeper(&self, limit: usize) -> bool {
        self.trees().iter().any(|tree| match tree {
            Tree::Group(group) => limit == 0 || group.stream.is_deeper(limit - 1),
            _ => false,
        })
    }

    /// How many tokens, a group counting as its two delimiters and its contents.
    pub fn count(&self) -> usize {
        let each = |tree: &Tree| match tree {
            Tree::Group(group) => group.stream.count() + 2,
            _ => 1,
        };
        self.trees().iter().map(each).sum()
    }
}

/// A literal as source text.
pub fn literal_text(literal: &Literal) -> String {
    let text = &literal.text;
    let hashes = |count: u8| "#".repeat(count.into());
    let mut out = match literal.kind {
        LiteralKind::Byte => format!("b'{text}'"),
        LiteralKind::Char => format!("'{text}'"),
        LiteralKind::Integer | LiteralKind::Float | LiteralKind::Error => text.to_string(),
        LiteralKind::Str => format!("\"{text}\""),
        LiteralKind::ByteStr => format!("b\"{text}\""),
        LiteralKind::CStr => format!("c\"{text}\""),
        LiteralKind::StrRaw(n) => format!("r{0}\"{text}\"{0}", hashes(n)),
        LiteralKind::ByteStrRaw(n) => format!("br{0}\"{text}\"{0}", hashes(n)),
        LiteralKind::CStrRaw(n) => format!("cr{0}\"{text}\"{0}", hashes(n)),
    };
    if let Some(suffix) = &literal.suffix {
        out += suffix;
    }
    out
}

/// The stream as source text, with spaces where rustc's own printer puts them.
pub fn to_text(stream: &Stream) -> String {
    let mut out = String::new();
    write_text(stream, &mut out, &mut |_, _, _| {});
    out
}

/// As [`to_text`], telling `each` token where its text begins and ends.
pub fn write_text(stream: &Stream, out: &mut String, each: &mut impl FnMut(&Tree, usize, usize)) {
    let trees = stream.trees();
    for (index, tree) in trees.iter().enumerate() {
        let start = out.len();
        match tree {
            Tree::Group(group) => {
                let (open, close) = group.delimiter.pair();
                *out += open;
                let padded = group.delimiter == Delimiter::Brace && !group.stream.0.is_empty();
                out.push_str(if padded { " " } else { "" });
                write_text(&group.stream, out, each);
                out.push_str(if padded { " " } else { "" });
                *out += close;
            }
            Tree::Punct(punct) => out.push(punct.ch.into()),
            Tree::Ident(ident) => {
                out.push_str(if ident.raw { "r#" } else { "" });
                *out += &ident.text;
            }
            Tree::Literal(literal) => *out += &literal_text(literal),
        }
        if !matches!(tree, Tree::Group(_)) {
            each(tree, start, out.len());
        }
        if trees.get(index + 1).is_some_and(|next| spaced(tree, next)) {
            out.push(' ');
        }
    }
}

fn spaced(left: &Tree, right: &Tree) -> bool {
    let is_bracketed =
        |tree: &Tree, delimiter| matches!(tree, Tree::Group(group) if group.delimiter == delimiter);
    match (left, right) {
        (Tree::Punct(punct), _) if punct.joint => false,
        (Tree::Punct(punct), _) if punct.ch == b'$' => !matches!(right, Tree::Ident(_)),
        (Tree::Punct(punct), _) if punct.ch == b'#' => !is_bracketed(right, Delimiter::Bracket),
        (Tree::Punct(punct), Tree::Group(_)) if punct.ch == b'!' => true,
        (_, Tree::Punct(punct)) => !matches!(punct.ch, b',' | b';' | b'.'),
        (Tree::Ident(ident), _) if is_bracketed(right, Delimiter::Parenthesis) => {
            let is_lower_keyword =
                ["as", "in", "if", "match", "for", "while", "return", "let", "else", "move", "mut"];
            !ident.raw && is_lower_keyword.contains(&&*ident.text)
        }
        _ => true,
    }
}
