// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reading tokens one after the other, remembering where.
//!
//! What a user's `macro_rules` macro captured as `$ty:ty`, `$n:expr` or `$vis:vis` arrives in a group
//! without delimiters. [`Cursor::open`] looks into such a group where its content matters.

use crate::errors::{Error, Message, Result};
use proc_macro::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use std::collections::VecDeque;

pub(crate) struct Cursor {
    tokens: VecDeque<TokenTree>,
    /// Of the token read last: where to point when the next one is missing.
    last: Span,
}

impl Cursor {
    pub(crate) fn new(tokens: TokenStream, before: Span) -> Self {
        Cursor { tokens: tokens.into_iter().collect(), last: before }
    }

    /// As [`new`](Self::new), with the first token looked into.
    pub(crate) fn opened(tokens: TokenStream, before: Span) -> Self {
        let mut cursor = Cursor::new(tokens, before);
        cursor.open();
        cursor
    }

    /// Puts the content of an invisible group in its place, if one comes next.
    pub(crate) fn open(&mut self) {
        while let Some(group) = self.group(Delimiter::None) {
            for token in group.stream().into_iter().collect::<Vec<_>>().into_iter().rev() {
                self.tokens.push_front(token);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The next token's place, or the last one's at the end.
    pub(crate) fn span(&self) -> Span {
        self.tokens.front().map_or(self.last, TokenTree::span)
    }

    pub(crate) fn error<T>(&self, message: Message) -> Result<T> {
        Err(Error::new(message, self.span()))
    }

    pub(crate) fn peek(&self, ahead: usize) -> Option<&TokenTree> {
        self.tokens.get(ahead)
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        let token = self.tokens.pop_front()?;
        self.last = token.span();
        Some(token)
    }

    pub(crate) fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek(ahead), Some(TokenTree::Ident(ident)) if ident.to_string() == word)
    }

    pub(crate) fn is_mark(&self, ahead: usize, mark: char) -> bool {
        matches!(self.peek(ahead), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
    }

    /// `->`: two marks that stand together.
    pub(crate) fn is_arrow(&self, ahead: usize) -> bool {
        matches!(
            self.peek(ahead),
            Some(TokenTree::Punct(punct)) if punct.as_char() == '-' && punct.spacing() == Spacing::Joint
        ) && self.is_mark(ahead + 1, '>')
    }

    pub(crate) fn word(&mut self, word: &str) -> bool {
        self.is_word(0, word) && self.next().is_some()
    }

    pub(crate) fn mark(&mut self, mark: char) -> bool {
        self.is_mark(0, mark) && self.next().is_some()
    }

    pub(crate) fn ident(&mut self) -> Option<Ident> {
        match self.peek(0) {
            Some(TokenTree::Ident(ident)) => {
                let ident = ident.clone();
                self.next();
                Some(ident)
            }
            _ => None,
        }
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek(0) {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let group = group.clone();
                self.next();
                Some(group)
            }
            _ => None,
        }
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> TokenStream {
        std::mem::take(&mut self.tokens).into_iter().collect()
    }

    /// Everything up to `;`, or to `end` outside of any `<..>`, which are not taken.
    pub(crate) fn until(&mut self, end: impl Fn(&Cursor) -> bool) -> TokenStream {
        let mut depth = 0_usize;
        let mut taken = Vec::new();
        while !self.is_empty() && !self.is_mark(0, ';') && (depth > 0 || !end(self)) {
            if self.is_arrow(0) {
                taken.extend(self.next());
            } else if self.is_mark(0, '<') {
                depth += 1;
            } else if self.is_mark(0, '>') {
                depth = depth.saturating_sub(1);
            }
            taken.extend(self.next());
        }
        taken.into_iter().collect()
    }
}

/// The place of a stretch of tokens: the first one's, as spans cannot be joined on stable.
pub(crate) fn place(tokens: &TokenStream, otherwise: Span) -> Span {
    Cursor::opened(tokens.clone(), otherwise).span()
}

/// The text of a stretch of tokens, as it would stand without invisible groups around it.
pub(crate) fn text(tokens: &TokenStream) -> String {
    Cursor::opened(tokens.clone(), Span::call_site()).rest().to_string()
}

/// An expression that stays what it was: invisible groups do not survive a procedural macro, so
/// `-$x` with `1 + 1` for `$x` would become `-1 + 1`. Those that hold an operator get parentheses.
pub(crate) fn expression(tokens: TokenStream) -> TokenStream {
    if tokens.clone().into_iter().nth(1).is_none() {
        return tokens;
    }
    let visible = |token| match token {
        TokenTree::Group(group)
            if group.delimiter() == Delimiter::None && has_operator(group.stream()) =>
        {
            let mut visible = Group::new(Delimiter::Parenthesis, group.stream());
            visible.set_span(group.span());
            TokenTree::Group(visible)
        }
        other => other,
    };
    tokens.into_iter().map(visible).collect()
}

/// Whether an operator stands outside of `<..>`. A type that has one, such as `&T`, may stand in
/// parentheses too.
fn has_operator(tokens: TokenStream) -> bool {
    let mut input = Cursor::opened(tokens, Span::call_site());
    let is_operator =
        |at: &Cursor| "+-*/%^&|=.".chars().any(|mark| at.is_mark(0, mark)) || at.is_word(0, "as");
    input.until(is_operator);
    !input.is_empty()
}
