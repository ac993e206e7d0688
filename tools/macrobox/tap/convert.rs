// SPDX-License-Identifier: MIT OR Apache-2.0

//! The compiler's tokens as records.

use crate::lex::lex_literal;
use crate::token::{self, Hygiene, Span, Stream, Tree};
use proc_macro::{TokenStream, TokenTree};

pub struct Recorder {
    pub files: Vec<String>,
    site: proc_macro::Span,
    /// Of the call: a token with the same place was made by the macro.
    place: (String, usize, usize),
}

impl Recorder {
    pub fn new(site: proc_macro::Span) -> Self {
        let range = site.byte_range();
        let place = (site.file(), range.start, range.end);
        Recorder { files: vec![site.file()], site, place }
    }

    pub fn site(&self) -> Span {
        let range = self.site.byte_range();
        let (lo, hi) = (range.start as u32, range.end as u32);
        Span { file: 0, lo, hi, hygiene: Hygiene::Call }
    }

    fn span(&mut self, span: proc_macro::Span) -> Span {
        let (file, range) = (span.file(), span.byte_range());
        if (&*file, range.start, range.end) == (&*self.place.0, self.place.1, self.place.2) {
            return Span::site(Hygiene::Call);
        }
        let known = self.files.iter().position(|one| *one == file);
        let index = known.unwrap_or_else(|| {
            self.files.push(file);
            self.files.len() - 1
        });
        let (lo, hi) = (range.start as u32, range.end as u32);
        Span { file: index as u32, lo, hi, hygiene: Hygiene::Source }
    }

    pub fn stream(&mut self, stream: TokenStream) -> Stream {
        stream.into_iter().map(|tree| self.tree(tree)).collect::<Vec<Tree>>().into()
    }

    fn tree(&mut self, tree: TokenTree) -> Tree {
        match tree {
            TokenTree::Group(group) => Tree::Group(token::Group {
                delimiter: match group.delimiter() {
                    proc_macro::Delimiter::Parenthesis => token::Delimiter::Parenthesis,
                    proc_macro::Delimiter::Brace => token::Delimiter::Brace,
                    proc_macro::Delimiter::Bracket => token::Delimiter::Bracket,
                    proc_macro::Delimiter::None => token::Delimiter::None,
                },
                open: self.span(group.span_open()),
                close: self.span(group.span_close()),
                entire: self.span(group.span()),
                stream: self.stream(group.stream()),
            }),
            TokenTree::Punct(punct) => Tree::Punct(token::Punct {
                ch: punct.as_char() as u8,
                joint: punct.spacing() == proc_macro::Spacing::Joint,
                span: self.span(punct.span()),
            }),
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                let bare = text.strip_prefix("r#");
                Tree::Ident(token::Ident {
                    text: bare.unwrap_or(&text).into(),
                    raw: bare.is_some(),
                    span: self.span(ident.span()),
                })
            }
            TokenTree::Literal(literal) => {
                let span = self.span(literal.span());
                let text = literal.to_string();
                Tree::Literal(lex_literal(&text, span).unwrap_or_else(|_| token::Literal {
                    kind: token::LiteralKind::Error,
                    text: text.into(),
                    suffix: None,
                    span,
                }))
            }
        }
    }
}
