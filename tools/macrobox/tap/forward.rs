// SPDX-License-Identifier: MIT OR Apache-2.0

//! A server in front of the real macro: every call goes on to the compiler, through this
//! library's own copy of `proc_macro`.

use crate::lex::{is_ident_continue, is_ident_start, lex_literal};
use crate::token::{self, LiteralKind, literal_text};
use proc_macro::bridge::{self, LitKind, server};
use proc_macro::{Diagnostic, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::cell::RefCell;
use std::ops::{Bound, Range};

pub struct Forward;

/// A compiler's span by its handle, so that it can be compared and hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(u32);

impl Id {
    fn of(span: Span) -> Self {
        // SAFETY: a `Span` is one 32-bit handle, which the sizes, equal or no build, support; any
        // such handle is a valid u32.
        Id(unsafe { std::mem::transmute::<Span, u32>(span) })
    }

    fn span(self) -> Span {
        // SAFETY: the number came from a `Span` of this very expansion.
        unsafe { std::mem::transmute::<u32, Span>(self.0) }
    }
}

thread_local! {
    /// `$crate`, which cannot be made from text: the ones that went into the macro.
    static DOLLAR: RefCell<Vec<Ident>> = const { RefCell::new(Vec::new()) };
}

type Tree = bridge::TokenTree<TokenStream, Id, String>;
type Lit = bridge::Literal<Id, String>;

fn literal_out(text: &str, span: Span) -> Result<Lit, String> {
    let place = token::Span::site(token::Hygiene::Call);
    let token::Literal { kind, text, suffix, .. } = lex_literal(text, place)?;
    let kind = match kind {
        LiteralKind::Byte => LitKind::Byte,
        LiteralKind::Char => LitKind::Char,
        LiteralKind::Integer => LitKind::Integer,
        LiteralKind::Float => LitKind::Float,
        LiteralKind::Str => LitKind::Str,
        LiteralKind::StrRaw(n) => LitKind::StrRaw(n),
        LiteralKind::ByteStr => LitKind::ByteStr,
        LiteralKind::ByteStrRaw(n) => LitKind::ByteStrRaw(n),
        LiteralKind::CStr => LitKind::CStr,
        LiteralKind::CStrRaw(n) => LitKind::CStrRaw(n),
        LiteralKind::Error => LitKind::ErrWithGuar,
    };
    let suffix = suffix.map(|suffix| suffix.to_string());
    Ok(bridge::Literal { kind, symbol: text.to_string(), suffix, span: Id::of(span) })
}

fn literal_in(literal: Lit) -> Literal {
    let kind = match literal.kind {
        LitKind::Byte => LiteralKind::Byte,
        LitKind::Char => LiteralKind::Char,
        LitKind::Integer => LiteralKind::Integer,
        LitKind::Float => LiteralKind::Float,
        LitKind::Str => LiteralKind::Str,
        LitKind::StrRaw(n) => LiteralKind::StrRaw(n),
        LitKind::ByteStr => LiteralKind::ByteStr,
        LitKind::ByteStrRaw(n) => LiteralKind::ByteStrRaw(n),
        LitKind::CStr => LiteralKind::CStr,
        LitKind::CStrRaw(n) => LiteralKind::CStrRaw(n),
        LitKind::ErrWithGuar => LiteralKind::Error,
    };
    let text = literal_text(&token::Literal {
        kind,
        text: literal.symbol.into(),
        suffix: literal.suffix.map(Into::into),
        span: token::Span::site(token::Hygiene::Call),
    });
    let mut made: Literal = text.parse().unwrap_or_else(|_| Literal::string(&text));
    made.set_span(literal.span.span());
    made
}

fn tree_out(tree: TokenTree) -> Tree {
    match tree {
        TokenTree::Group(group) => bridge::TokenTree::Group(bridge::Group {
            delimiter: group.delimiter(),
            span: bridge::DelimSpan {
                open: Id::of(group.span_open()),
                close: Id::of(group.span_close()),
                entire: Id::of(group.span()),
            },
            stream: Some(group.stream()).filter(|stream| !stream.is_empty()),
        }),
        TokenTree::Punct(punct) => bridge::TokenTree::Punct(bridge::Punct {
            ch: punct.as_char() as u8,
            joint: punct.spacing() == Spacing::Joint,
            span: Id::of(punct.span()),
        }),
        TokenTree::Ident(ident) => {
            let text = ident.to_string();
            if text.starts_with('$') {
                DOLLAR.with_borrow_mut(|known| known.push(ident.clone()));
            }
            let bare = text.strip_prefix("r#");
            bridge::TokenTree::Ident(bridge::Ident {
                is_raw: bare.is_some(),
                span: Id::of(ident.span()),
                sym: bare.unwrap_or(&text).to_owned(),
            })
        }
        TokenTree::Literal(literal) => {
            let (text, span) = (literal.to_string(), literal.span());
            let broken = bridge::Literal {
                kind: LitKind::ErrWithGuar,
                symbol: text.clone(),
                suffix: None,
                span: Id::of(span),
            };
            bridge::TokenTree::Literal(literal_out(&text, span).unwrap_or(broken))
        }
    }
}

fn tree_in(tree: Tree) -> TokenTree {
    match tree {
        bridge::TokenTree::Group(group) => {
            let mut made = Group::new(group.delimiter, group.stream.unwrap_or_default());
            made.set_span(group.span.entire.span());
            made.into()
        }
        bridge::TokenTree::Punct(punct) => {
            let spacing = if punct.joint { Spacing::Joint } else { Spacing::Alone };
            let mut made = Punct::new(punct.ch as char, spacing);
            made.set_span(punct.span.span());
            made.into()
        }
        bridge::TokenTree::Ident(ident) => {
            let span = ident.span.span();
            if ident.sym.starts_with('$') {
                let known = DOLLAR.with_borrow(|known| {
                    let same = |one: &&Ident| Id::of(one.span()) == ident.span;
                    known.iter().rev().find(same).or(known.last()).cloned()
                });
                if let Some(mut known) = known {
                    known.set_span(span);
                    return known.into();
                }
            }
            match ident.is_raw {
                true => Ident::new_raw(&ident.sym, span).into(),
                false => Ident::new(&ident.sym, span).into(),
            }
        }
        bridge::TokenTree::Literal(literal) => literal_in(literal).into(),
    }
}

fn emit(given: bridge::Diagnostic<Id>) {
    fn spans(spans: &[Id]) -> Vec<Span> {
        spans.iter().map(|id| id.span()).collect()
    }
    let mut made = Diagnostic::spanned(spans(&given.spans), given.level, given.message);
    for child in given.children {
        let at = spans(&child.spans);
        made = match child.level {
            proc_macro::Level::Error => made.span_error(at, child.message),
            proc_macro::Level::Warning => made.span_warning(at, child.message),
            proc_macro::Level::Help => made.span_help(at, child.message),
            _ => made.span_note(at, child.message),
        };
    }
    made.emit();
}

impl server::Server for Forward {
    type TokenStream = TokenStream;
    type Span = Id;
    type Symbol = String;

    fn globals(&mut self) -> bridge::ExpnGlobals<Id> {
        bridge::ExpnGlobals {
            def_site: Id::of(Span::def_site()),
            call_site: Id::of(Span::call_site()),
            mixed_site: Id::of(Span::mixed_site()),
        }
    }
    fn intern_symbol(text: &str) -> String {
        text.into()
    }
    fn with_symbol_string(symbol: &String, use_it: impl FnOnce(&str)) {
        use_it(symbol);
    }
    fn injected_env_var(&mut self, name: &str) -> Option<String> {
        proc_macro::tracked::env_var(name).ok()
    }
    fn track_env_var(&mut self, name: &str, _: Option<&str>) {
        let _ = proc_macro::tracked::env_var(name); // read for its tracking only
    }
    fn track_path(&mut self, path: &str) {
        proc_macro::tracked::path(path);
    }
    fn literal_from_str(&mut self, text: &str) -> Result<Lit, String> {
        let literal: Literal = text.parse().map_err(|error: proc_macro::LexError| error.to_string())?;
        literal_out(&literal.to_string(), literal.span())
    }
    fn emit_diagnostic(&mut self, given: bridge::Diagnostic<Id>) {
        emit(given);
    }
    fn ts_drop(&mut self, stream: TokenStream) {
        drop(stream);
    }
    fn ts_clone(&mut self, stream: &TokenStream) -> TokenStream {
        stream.clone()
    }
    fn ts_is_empty(&mut self, stream: &TokenStream) -> bool {
        stream.is_empty()
    }
    fn ts_expand_expr(&mut self, stream: &TokenStream) -> Result<TokenStream, ()> {
        stream.expand_expr().map_err(drop)
    }
    fn ts_from_str(&mut self, text: &str) -> Result<TokenStream, String> {
        text.parse().map_err(|error: proc_macro::LexError| error.to_string())
    }
    fn ts_to_string(&mut self, stream: &TokenStream) -> String {
        stream.to_string()
    }
    fn ts_from_token_tree(&mut self, tree: Tree) -> TokenStream {
        tree_in(tree).into()
    }
    fn ts_concat_trees(&mut self, base: Option<TokenStream>, trees: Vec<Tree>) -> TokenStream {
        let mut stream = base.unwrap_or_default();
        stream.extend(trees.into_iter().map(tree_in));
        stream
    }
    fn ts_concat_streams(
        &mut self,
        base: Option<TokenStream>,
        streams: Vec<TokenStream>,
    ) -> TokenStream {
        let mut all = base.unwrap_or_default();
        all.extend(streams);
        all
    }
    fn ts_into_trees(&mut self, stream: TokenStream) -> Vec<Tree> {
        stream.into_iter().map(tree_out).collect()
    }
    fn span_debug(&mut self, span: Id) -> String {
        format!("{:?}", span.span())
    }
    fn span_parent(&mut self, span: Id) -> Option<Id> {
        span.span().parent().map(Id::of)
    }
    fn span_source(&mut self, span: Id) -> Id {
        Id::of(span.span().source())
    }
    fn span_byte_range(&mut self, span: Id) -> Range<usize> {
        span.span().byte_range()
    }
    fn span_start(&mut self, span: Id) -> Id {
        Id::of(span.span().start())
    }
    fn span_end(&mut self, span: Id) -> Id {
        Id::of(span.span().end())
    }
    fn span_line(&mut self, span: Id) -> usize {
        span.span().line()
    }
    fn span_column(&mut self, span: Id) -> usize {
        span.span().column()
    }
    fn span_file(&mut self, span: Id) -> String {
        span.span().file()
    }
    fn span_local_file(&mut self, span: Id) -> Option<String> {
        span.span().local_file().map(|path| path.display().to_string())
    }
    fn span_join(&mut self, span: Id, other: Id) -> Option<Id> {
        span.span().join(other.span()).map(Id::of)
    }
    /// Offered by literals only, and only on nightly: none, as stable compilers answer.
    fn span_subspan(&mut self, _: Id, _: Bound<usize>, _: Bound<usize>) -> Option<Id> {
        None
    }
    fn span_resolved_at(&mut self, span: Id, at: Id) -> Id {
        Id::of(span.span().resolved_at(at.span()))
    }
    fn span_source_text(&mut self, span: Id) -> Option<String> {
        span.span().source_text()
    }
    fn span_save_span(&mut self, span: Id) -> usize {
        span.span().save_span()
    }
    fn span_recover_proc_macro_span(&mut self, id: usize) -> Id {
        Id::of(Span::recover_proc_macro_span(id))
    }
    fn symbol_normalize_and_validate_ident(&mut self, text: &str) -> Result<String, ()> {
        let name = text.starts_with(is_ident_start) && text.chars().all(is_ident_continue);
        name.then(|| Ident::new(text, Span::call_site()).to_string()).ok_or(())
    }
}
