// SPDX-License-Identifier: MIT OR Apache-2.0

//! Output for people: laid-out code, colours on a terminal, messages that point into the input.

use crate::{Diagnostic, Level, Source, Span, Stream, Tree, lex, to_text, token};
use std::io::IsTerminal;

/// True if colours reach a person: on a terminal, unless NO_COLOR says otherwise.
pub(crate) fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `stream` laid out as rustfmt would, as far as it is Rust: items, an expression, or else its
/// tokens in one line.
pub(crate) fn pretty(stream: &Stream) -> String {
    let text = to_text(stream);
    if let Ok(file) = syn::parse_file(&text) {
        return prettyplease::unparse(&file);
    }
    let wrapped = format!("fn expression() {{ {text} }}");
    match syn::parse_file(&wrapped) {
        Ok(file) => {
            let laid_out = prettyplease::unparse(&file);
            let lines: Vec<&str> = laid_out.lines().collect();
            let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
            let inner: Vec<&str> =
                inner.iter().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
            inner.join("\n") + "\n"
        }
        Err(_) => text + "\n",
    }
}

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while",
];

/// `text` with colours for keywords and literals.
pub(crate) fn highlight(text: &str) -> String {
    let place = |lo: usize, hi: usize| Span {
        file: 0,
        lo: lo as u32,
        hi: hi as u32,
        hygiene: crate::Hygiene::Source,
    };
    let Ok(stream) = lex(text, place) else { return text.into() };
    let mut marks = Vec::new();
    collect(&stream, &mut marks);
    let mut out = String::new();
    let mut at = 0;
    for (lo, hi, colour) in marks {
        if lo < at {
            continue; // a doc comment's tokens share one place
        }
        out += &text[at..lo];
        out += &format!("\x1b[{colour}m{}\x1b[0m", &text[lo..hi]);
        at = hi;
    }
    out + &text[at..]
}

fn collect(stream: &Stream, marks: &mut Vec<(usize, usize, u8)>) {
    for tree in stream.trees() {
        let span = tree.span();
        let colour = match tree {
            Tree::Group(group) => {
                collect(&group.stream, marks);
                continue;
            }
            Tree::Ident(ident) if KEYWORDS.contains(&&*ident.text) => 35,
            Tree::Literal(_) => 32,
            _ => continue,
        };
        marks.push((span.lo as usize, span.hi as usize, colour));
    }
}

/// As rustc prints it.
pub(crate) fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
        Level::Help => "help",
    }
}

/// A message with the lines it is about, as rustc prints it.
pub(crate) fn message(level: Level, text: &str, span: Option<Span>, sources: &[Source]) -> String {
    let mut out = format!("{}: {text}\n", word(level));
    let Some(span) = span else { return out };
    let Some(source) = sources.get(span.file as usize) else { return out };
    let inside = |byte: u32| (byte.saturating_sub(source.offset) as usize).min(source.text.len());
    let (lo, hi) = (inside(span.lo), inside(span.hi));
    let (Some(before), Some(marked)) = (source.text.get(..lo), source.text.get(lo..hi)) else {
        return out;
    };
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line_number = source.line as usize + before.matches('\n').count();
    let column = before[start..].chars().count();
    let line = source.text[start..].lines().next().unwrap_or("");
    let shift = if start == 0 { source.column as usize - 1 } else { 0 };
    let width = marked.lines().next().unwrap_or("").chars().count().max(1);
    let margin = " ".repeat(line_number.to_string().len());
    out += &format!("{margin}--> {}:{line_number}:{}\n", source.path, column + shift + 1);
    out += &format!("{margin} |\n{line_number} | {line}\n");
    out += &format!("{margin} | {}{}\n", " ".repeat(column), "^".repeat(width));
    out
}

/// All that a macro says against its input: what it emitted, and `compile_error!` in its output.
pub(crate) fn complaints(
    diagnostics: &[Diagnostic],
    stream: &Stream,
    site: Span,
    sources: &[Source],
) -> (String, usize) {
    let place = |span: Span| if span.is_made() { site } else { span };
    let (mut out, mut errors) = (String::new(), 0);
    for one in diagnostics {
        errors += usize::from(one.level == Level::Error);
        let span = one.spans.first().copied().unwrap_or(site);
        out += &message(one.level, &one.message, Some(place(span)), sources);
        for child in &one.children {
            let span = child.spans.first().map(|span| place(*span));
            out += &message(child.level, &child.message, span, sources);
        }
    }
    compile_errors(stream, &mut |text, span| {
        errors += 1;
        out += &message(Level::Error, text, Some(place(span)), sources);
    });
    (out, errors)
}

/// Every `compile_error!("text")` in `stream`.
fn compile_errors(stream: &Stream, each: &mut impl FnMut(&str, Span)) {
    for window in stream.trees().windows(3) {
        let [name, bang, Tree::Group(group)] = window else { continue };
        if name.is_ident("compile_error")
            && bang.is_punct(b'!')
            && let [Tree::Literal(literal), ..] = group.stream.trees()
        {
            let text = syn::parse_str::<syn::LitStr>(&token::literal_text(literal));
            let text = text.map_or_else(|_| literal.text.to_string(), |text| text.value());
            each(&text, name.span());
        }
    }
    for tree in stream.trees() {
        if let Tree::Group(group) = tree {
            compile_errors(&group.stream, each);
        }
    }
}
