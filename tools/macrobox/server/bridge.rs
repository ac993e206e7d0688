// SPDX-License-Identifier: MIT OR Apache-2.0

//! The compiler's side of a macro's bridge: streams kept here, calls answered.

use crate::client::Macro;
use crate::lex;
use crate::message::{self, Call, Expanded, Note, Source};
use crate::say;
use crate::token::{self, Hygiene, Span, Stream, Text, Tree};
use proc_macro::bridge::{self, server};
use std::fmt::Debug;
use std::ops::{Bound, Range};
use std::time::Instant;

type BridgeTree = bridge::TokenTree<Stream, Span, Text>;
type BridgeLiteral = bridge::Literal<Span, Text>;

struct Compiler<'a> {
    site: Span,
    sources: &'a [Source],
    environment: &'a [(String, String)],
    trace: bool,
}

/// Runs `call` on the macro of that name and kind; none if there is none.
pub fn expand(
    macros: &[Macro],
    call: &Call,
    environment: &[(String, String)],
    trace: bool,
) -> Option<Expanded> {
    let is_called =
        |one: &&Macro| (one.declared.kind, &one.declared.name) == (call.kind, &call.name);
    let Macro { function, .. } = macros.iter().find(is_called)?;
    let compiler = Compiler { site: call.site, sources: &call.sources, environment, trace };
    let (attribute, input) = (call.attribute.clone(), call.input.clone());
    let start = Instant::now();
    let result = function.run(compiler, attribute, input);
    let nanoseconds = start.elapsed().as_nanos() as u64;
    let result = result.map_err(|panic| {
        panic.as_str().unwrap_or("the macro panicked with a value that is not text").to_owned()
    });
    Some(Expanded { result, nanoseconds })
}

fn delimiter_in(delimiter: proc_macro::Delimiter) -> token::Delimiter {
    match delimiter {
        proc_macro::Delimiter::Parenthesis => token::Delimiter::Parenthesis,
        proc_macro::Delimiter::Brace => token::Delimiter::Brace,
        proc_macro::Delimiter::Bracket => token::Delimiter::Bracket,
        proc_macro::Delimiter::None => token::Delimiter::None,
    }
}

fn delimiter_out(delimiter: token::Delimiter) -> proc_macro::Delimiter {
    match delimiter {
        token::Delimiter::Parenthesis => proc_macro::Delimiter::Parenthesis,
        token::Delimiter::Brace => proc_macro::Delimiter::Brace,
        token::Delimiter::Bracket => proc_macro::Delimiter::Bracket,
        token::Delimiter::None => proc_macro::Delimiter::None,
    }
}

macro_rules! literal_kinds {
    ($($theirs:ident $(($hashes:ident))? = $ours:ident),* $(,)?) => {
        fn kind_in(kind: bridge::LitKind) -> token::LiteralKind {
            match kind {
                $(bridge::LitKind::$theirs $(($hashes))? => token::LiteralKind::$ours $(($hashes))?,)*
            }
        }
        fn kind_out(kind: token::LiteralKind) -> bridge::LitKind {
            match kind {
                $(token::LiteralKind::$ours $(($hashes))? => bridge::LitKind::$theirs $(($hashes))?,)*
            }
        }
    };
}
literal_kinds!(
    Byte = Byte,
    Char = Char,
    Integer = Integer,
    Float = Float,
    Str = Str,
    StrRaw(n) = StrRaw,
    ByteStr = ByteStr,
    ByteStrRaw(n) = ByteStrRaw,
    CStr = CStr,
    CStrRaw(n) = CStrRaw,
    ErrWithGuar = Error,
);

fn literal_out(literal: token::Literal) -> BridgeLiteral {
    bridge::Literal {
        kind: kind_out(literal.kind),
        symbol: literal.text,
        suffix: literal.suffix,
        span: literal.span,
    }
}

/// Adds what the macro gave; a negative number becomes a minus and a number, as in rustc.
fn push(stream: &mut Stream, tree: BridgeTree) {
    let tree = match tree {
        bridge::TokenTree::Group(group) => Tree::Group(token::Group {
            delimiter: delimiter_in(group.delimiter),
            stream: group.stream.unwrap_or_default(),
            open: group.span.open,
            close: group.span.close,
            entire: group.span.entire,
        }),
        bridge::TokenTree::Punct(punct) => {
            Tree::Punct(token::Punct { ch: punct.ch, joint: punct.joint, span: punct.span })
        }
        bridge::TokenTree::Ident(ident) => {
            Tree::Ident(token::Ident { text: ident.sym, raw: ident.is_raw, span: ident.span })
        }
        bridge::TokenTree::Literal(literal) => {
            let mut text = literal.symbol;
            if let Some(positive) = text.strip_prefix('-')
                && matches!(literal.kind, bridge::LitKind::Integer | bridge::LitKind::Float)
            {
                let minus = token::Punct { ch: b'-', joint: false, span: literal.span };
                stream.push(Tree::Punct(minus));
                text = positive.into();
            }
            Tree::Literal(token::Literal {
                kind: kind_in(literal.kind),
                text,
                suffix: literal.suffix,
                span: literal.span,
            })
        }
    };
    stream.push(tree);
}

fn tree_out(tree: Tree) -> BridgeTree {
    match tree {
        Tree::Group(group) => bridge::TokenTree::Group(bridge::Group {
            delimiter: delimiter_out(group.delimiter),
            stream: (!group.stream.0.is_empty()).then_some(group.stream),
            span: bridge::DelimSpan { open: group.open, close: group.close, entire: group.entire },
        }),
        Tree::Punct(punct) => bridge::TokenTree::Punct(bridge::Punct {
            ch: punct.ch,
            joint: punct.joint,
            span: punct.span,
        }),
        Tree::Ident(ident) => bridge::TokenTree::Ident(bridge::Ident {
            sym: ident.text,
            is_raw: ident.raw,
            span: ident.span,
        }),
        Tree::Literal(literal) => bridge::TokenTree::Literal(literal_out(literal)),
    }
}

fn diagnostic(given: bridge::Diagnostic<Span>) -> message::Diagnostic {
    message::Diagnostic {
        level: match given.level {
            proc_macro::Level::Error => message::Level::Error,
            proc_macro::Level::Warning => message::Level::Warning,
            proc_macro::Level::Help => message::Level::Help,
            _ => message::Level::Note,
        },
        message: given.message,
        spans: given.spans,
        children: given.children.into_iter().map(diagnostic).collect(),
    }
}

impl Compiler<'_> {
    /// Notes one call over the bridge, if someone wants to see it.
    fn note<R: Debug>(&mut self, method: &str, arguments: &dyn Debug, result: R) -> R {
        if self.trace {
            let mut line = format!("{method}{arguments:?} -> {result:?}");
            if let Some((end, _)) = line.char_indices().nth(300) {
                line.truncate(end);
                line.push_str("..");
            }
            say::note(&Note::Trace(line));
        }
        result
    }

    /// A short view of `stream` for the trace.
    fn show(&self, stream: &Stream) -> String {
        if !self.trace {
            return String::new();
        }
        let id = std::sync::Arc::as_ptr(&stream.0) as usize / 16 % 0xffff;
        format!("#{id:04x} {} tokens: {}", stream.count(), token::to_text(stream))
    }

    fn place(&self, span: Span) -> Option<(&Source, usize, usize)> {
        let span = if span.is_made() { self.site } else { span };
        let source = self.sources.get(span.file as usize)?;
        Some((source, span.lo as usize, span.hi as usize))
    }

    /// Line and column, both from 1, of a byte of `source`.
    fn position(source: &Source, byte: usize) -> (usize, usize) {
        let inside = byte.saturating_sub(source.offset as usize).min(source.text.len());
        let before = source.text.get(..inside).unwrap_or("");
        let line = before.matches('\n').count();
        let column = match before.rfind('\n') {
            Some(end) => before[end + 1..].chars().count() + 1,
            None => before.chars().count() + source.column as usize,
        };
        (line + source.line as usize, column)
    }
}

impl server::Server for Compiler<'_> {
    type TokenStream = Stream;
    type Span = Span;
    type Symbol = Text;

    fn globals(&mut self) -> bridge::ExpnGlobals<Span> {
        bridge::ExpnGlobals {
            def_site: Span::site(Hygiene::Definition),
            call_site: Span::site(Hygiene::Call),
            mixed_site: Span::site(Hygiene::Mixed),
        }
    }

    fn intern_symbol(text: &str) -> Text {
        text.into()
    }

    fn with_symbol_string(symbol: &Text, use_it: impl FnOnce(&str)) {
        use_it(symbol);
    }

    fn injected_env_var(&mut self, name: &str) -> Option<String> {
        let value = self.environment.iter().find(|(known, _)| known == name);
        let value = value.map(|(_, value)| value.clone());
        self.note("injected_env_var", &(name,), value)
    }

    fn track_env_var(&mut self, name: &str, value: Option<&str>) {
        say::note(&Note::Tracked(format!("env {name}")));
        self.note("track_env_var", &(name, value), ());
    }

    fn track_path(&mut self, path: &str) {
        say::note(&Note::Tracked(format!("path {path}")));
        self.note("track_path", &(path,), ());
    }

    fn literal_from_str(&mut self, text: &str) -> Result<BridgeLiteral, String> {
        let literal = lex::lex_literal(text, Span::site(Hygiene::Call));
        let literal = self.note("literal_from_str", &(text,), literal);
        literal.map(literal_out)
    }

    fn emit_diagnostic(&mut self, given: bridge::Diagnostic<Span>) {
        let message = given.message.clone();
        say::note(&Note::Diagnostic(diagnostic(given)));
        self.note("emit_diagnostic", &(message,), ());
    }

    fn ts_drop(&mut self, stream: Stream) {
        let shown = self.show(&stream);
        self.note("ts_drop", &(shown,), ());
    }

    fn ts_clone(&mut self, stream: &Stream) -> Stream {
        let shown = self.show(stream);
        self.note("ts_clone", &(shown,), ());
        stream.clone()
    }

    fn ts_is_empty(&mut self, stream: &Stream) -> bool {
        let shown = self.show(stream);
        self.note("ts_is_empty", &(shown,), stream.0.is_empty())
    }

    fn ts_expand_expr(&mut self, stream: &Stream) -> Result<Stream, ()> {
        // Only a literal is its own value here; anything else would need the compiler.
        let is_literal = matches!(stream.trees(), [Tree::Literal(_)]);
        let shown = self.show(stream);
        self.note("ts_expand_expr", &(shown,), is_literal.then_some(()).ok_or(()))?;
        Ok(stream.clone())
    }

    fn ts_from_str(&mut self, text: &str) -> Result<Stream, String> {
        let stream = lex::lex(text, |_, _| Span::site(Hygiene::Call));
        let stream = stream.map_err(|error| error.message);
        let shown = stream.as_ref().map(|stream| self.show(stream));
        let _ = self.note("ts_from_str", &(text,), shown);
        stream
    }

    fn ts_to_string(&mut self, stream: &Stream) -> String {
        let shown = self.show(stream);
        self.note("ts_to_string", &(shown,), token::to_text(stream))
    }

    fn ts_from_token_tree(&mut self, tree: BridgeTree) -> Stream {
        let mut stream = Stream::default();
        push(&mut stream, tree);
        let shown = self.show(&stream);
        self.note("ts_from_token_tree", &(), shown);
        stream
    }

    fn ts_concat_trees(&mut self, base: Option<Stream>, trees: Vec<BridgeTree>) -> Stream {
        let count = trees.len();
        let mut stream = base.unwrap_or_default();
        trees.into_iter().for_each(|tree| push(&mut stream, tree));
        let shown = self.show(&stream);
        self.note("ts_concat_trees", &(count,), shown);
        stream
    }

    fn ts_concat_streams(&mut self, base: Option<Stream>, streams: Vec<Stream>) -> Stream {
        let count = streams.len();
        let mut all = base.unwrap_or_default();
        streams.into_iter().for_each(|stream| all.append(stream));
        let shown = self.show(&all);
        self.note("ts_concat_streams", &(count,), shown);
        all
    }

    fn ts_into_trees(&mut self, stream: Stream) -> Vec<BridgeTree> {
        let shown = self.show(&stream);
        self.note("ts_into_trees", &(shown,), stream.0.len());
        stream.into_trees().into_iter().map(tree_out).collect()
    }

    fn span_debug(&mut self, span: Span) -> String {
        let text = match span.is_made() {
            true => format!("{:?} site", span.hygiene),
            false => format!("bytes({}..{})", span.lo, span.hi),
        };
        self.note("span_debug", &(span,), text)
    }

    fn span_parent(&mut self, span: Span) -> Option<Span> {
        self.note("span_parent", &(span,), None)
    }

    fn span_source(&mut self, span: Span) -> Span {
        self.note("span_source", &(span,), span)
    }

    fn span_byte_range(&mut self, span: Span) -> Range<usize> {
        let range = self.place(span).map_or(0..0, |(_, lo, hi)| lo..hi);
        self.note("span_byte_range", &(span,), range)
    }

    fn span_start(&mut self, span: Span) -> Span {
        let span = if span.is_made() { self.site } else { span };
        self.note("span_start", &(span,), Span { hi: span.lo, ..span })
    }

    fn span_end(&mut self, span: Span) -> Span {
        let span = if span.is_made() { self.site } else { span };
        self.note("span_end", &(span,), Span { lo: span.hi, ..span })
    }

    fn span_line(&mut self, span: Span) -> usize {
        let line = self.place(span).map_or(1, |(source, lo, _)| Self::position(source, lo).0);
        self.note("span_line", &(span,), line)
    }

    fn span_column(&mut self, span: Span) -> usize {
        let column = self.place(span).map_or(1, |(source, lo, _)| Self::position(source, lo).1);
        self.note("span_column", &(span,), column)
    }

    fn span_file(&mut self, span: Span) -> String {
        let file = self.place(span).map_or(String::new(), |(source, ..)| source.path.clone());
        self.note("span_file", &(span,), file)
    }

    fn span_local_file(&mut self, span: Span) -> Option<String> {
        let file = self.place(span).map(|(source, ..)| source.path.clone());
        let file = file.filter(|path| !path.starts_with('<'));
        self.note("span_local_file", &(span,), file)
    }

    fn span_join(&mut self, span: Span, other: Span) -> Option<Span> {
        self.note("span_join", &(span, other), span.join(other))
    }

    fn span_subspan(&mut self, span: Span, from: Bound<usize>, to: Bound<usize>) -> Option<Span> {
        let length = (span.hi - span.lo) as usize;
        let start = match from {
            Bound::Included(at) => at,
            Bound::Excluded(at) => at.checked_add(1)?,
            Bound::Unbounded => 0,
        };
        let end = match to {
            Bound::Included(at) => at.checked_add(1)?,
            Bound::Excluded(at) => at,
            Bound::Unbounded => length,
        };
        let inside = start <= end && end <= length;
        let part = Span { lo: span.lo + start as u32, hi: span.lo + end as u32, ..span };
        self.note("span_subspan", &(span, start, end), inside.then_some(part))
    }

    fn span_resolved_at(&mut self, span: Span, at: Span) -> Span {
        self.note("span_resolved_at", &(span, at), Span { hygiene: at.hygiene, ..span })
    }

    fn span_source_text(&mut self, span: Span) -> Option<String> {
        let text = self.place(span).and_then(|(source, lo, hi)| {
            let offset = source.offset as usize;
            source.text.get(lo.checked_sub(offset)?..hi.checked_sub(offset)?).map(String::from)
        });
        self.note("span_source_text", &(span,), text)
    }

    fn span_save_span(&mut self, span: Span) -> usize {
        self.note("span_save_span", &(span,), 0)
    }

    fn span_recover_proc_macro_span(&mut self, id: usize) -> Span {
        self.note("span_recover_proc_macro_span", &(id,), Span::site(Hygiene::Definition))
    }

    fn symbol_normalize_and_validate_ident(&mut self, text: &str) -> Result<Text, ()> {
        let name =
            text.starts_with(lex::is_ident_start) && text.chars().all(lex::is_ident_continue);
        let result = name.then(|| Text::from(text)).ok_or(());
        self.note("symbol_normalize_and_validate_ident", &(text,), result)
    }
}
