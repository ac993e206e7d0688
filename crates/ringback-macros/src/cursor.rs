//! Reading tokens one after the other, remembering where.

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

    /// `->` and its like: two marks that stand together.
    pub(crate) fn is_arrow(&self, ahead: usize) -> bool {
        matches!(
            self.peek(ahead),
            Some(TokenTree::Punct(punct)) if punct.as_char() == '-' && punct.spacing() == Spacing::Joint
        ) && self.is_mark(ahead + 1, '>')
    }

    pub(crate) fn word(&mut self, word: &str) -> Option<Span> {
        self.is_word(0, word).then(|| self.next()).flatten().map(|token| token.span())
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

    /// Everything up to `end`, which is outside of any `<..>` and is not taken.
    pub(crate) fn until(&mut self, end: impl Fn(&Cursor) -> bool) -> TokenStream {
        let mut depth = 0_usize;
        let mut taken = Vec::new();
        while !self.is_empty() && !(depth == 0 && end(self)) {
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
    tokens.clone().into_iter().next().map_or(otherwise, |token| token.span())
}
