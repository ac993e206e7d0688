// SPDX-License-Identifier: MIT OR Apache-2.0

//! Output for people: laid-out code, colours on a terminal, messages that point into the input.

use crate::{Delimiter, Diagnostic, Level, Source, Span, Stream, Tree, lex, to_text, token};
use proc_macro2::TokenStream;
use quote::TokenStreamExt;
use std::io::IsTerminal;

/// True if colours reach a person: on a terminal, unless NO_COLOR says otherwise.
pub(crate) fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `stream` laid out as rustfmt would, as far as it is Rust: items, an expression, or else its
/// tokens in one line. What an invisible group keeps together gets parentheses where it needs them.
pub(crate) fn pretty(stream: &Stream) -> String {
    let text = to_text(stream);
    on_large_stack(stream, || lay_out(stream, &text)).unwrap_or_else(|| text.clone() + "\n")
}

fn lay_out(stream: &Stream, text: &str) -> Option<String> {
    // Text has no invisible groups.
    let tokens = has_invisible(stream).then(|| tokens(stream)).flatten();
    let by_tokens = tokens.and_then(|tokens| {
        let file = syn::parse2(tokens.clone()).map(|file| prettyplease::unparse(&file));
        let within = || syn::parse2(quote::quote!(fn expression() { #tokens }));
        file.or_else(|_| within().map(|file| inner_lines(&file))).ok()
    });
    by_tokens.or_else(|| {
        let file = syn::parse_file(text).map(|file| prettyplease::unparse(&file));
        let within = || syn::parse_file(&format!("fn expression() {{ {text} }}"));
        file.or_else(|_| within().map(|file| inner_lines(&file))).ok()
    })
}

/// What stands in the one function of `file`.
fn inner_lines(file: &syn::File) -> String {
    let laid_out = prettyplease::unparse(file);
    let lines: Vec<&str> = laid_out.lines().collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let inner = inner.iter().map(|line| line.strip_prefix("    ").unwrap_or(line));
    inner.collect::<Vec<_>>().join("\n") + "\n"
}

fn has_invisible(stream: &Stream) -> bool {
    stream.trees().iter().any(|tree| match tree {
        Tree::Group(group) => group.delimiter == Delimiter::None || has_invisible(&group.stream),
        _ => false,
    })
}

/// `stream` with its invisible groups, for syn; none if a token is not of Rust.
fn tokens(stream: &Stream) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    for tree in stream.trees() {
        match tree {
            Tree::Group(group) => {
                let inner = tokens(&group.stream)?;
                let delimiter = match group.delimiter {
                    Delimiter::Parenthesis => proc_macro2::Delimiter::Parenthesis,
                    Delimiter::Brace => proc_macro2::Delimiter::Brace,
                    Delimiter::Bracket => proc_macro2::Delimiter::Bracket,
                    Delimiter::None if inner.is_empty() => continue, // as of an empty `$vis`
                    Delimiter::None => proc_macro2::Delimiter::None,
                };
                out.append(proc_macro2::Group::new(delimiter, inner));
            }
            Tree::Punct(punct) if b"!#$%&'*+,-./:;<=>?@^|~".contains(&punct.ch) => {
                use proc_macro2::Spacing::{Alone, Joint};
                let spacing = if punct.joint { Joint } else { Alone };
                out.append(proc_macro2::Punct::new(punct.ch.into(), spacing));
            }
            leaf => {
                let leaf: TokenStream = to_text(&vec![leaf.clone()].into()).parse().ok()?;
                out.extend(leaf);
            }
        }
    }
    Some(out)
}

/// Longer expressions are not parsed: syn and prettyplease go deeper by each operator.
const LONGEST: usize = 20_000;

/// Runs `parse`, which is to parse `stream`, where it does not overflow the stack: none where it would,
/// or if it panics.
pub(crate) fn on_large_stack<T: Send>(
    stream: &Stream,
    parse: impl FnOnce() -> Option<T> + Send,
) -> Option<T> {
    if longest(stream.trees()) > LONGEST {
        return None;
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20); // used pages only are taken
        thread.spawn_scoped(scope, parse).ok()?.join().ok()?
    })
}

/// How many trees stand in the longest expression or item, with the longest in one of its groups.
fn longest(trees: &[Tree]) -> usize {
    let (mut longest_run, mut run, mut within) = (0, 0, 0);
    for (index, tree) in trees.iter().enumerate() {
        run += 1;
        let ends = match tree {
            Tree::Group(group) => {
                within = within.max(longest(group.stream.trees()));
                group.delimiter == Delimiter::Brace && is_begin(trees.get(index + 1))
            }
            other => other.is_punct(b';') || other.is_punct(b','),
        };
        longest_run = longest_run.max(run + within);
        if ends {
            (run, within) = (0, 0);
        }
    }
    longest_run
}

/// Does what follows a closing brace begin another item or statement?
fn is_begin(next: Option<&Tree>) -> bool {
    next.is_none_or(|next| match next {
        Tree::Ident(_) => !next.is_ident("else"),
        other => other.is_punct(b'#'),
    })
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

/// The first words of `text`, for a message.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, Hygiene};

    fn read(text: &str) -> Stream {
        lex(text, |_, _| Span::site(Hygiene::Call)).unwrap()
    }

    #[test]
    fn a_long_expression_takes_no_stack_that_is_not_there() {
        for (one, end) in [("!", "a"), ("a + ", "a"), ("- ", "1"), ("a . b ", "")] {
            let short = read(&(one.repeat(LONGEST / 4) + end));
            let laid_out = pretty(&short);
            assert!(laid_out.len() > LONGEST / 4, "{one}");
            let long = read(&(one.repeat(100_000) + end));
            assert_eq!(pretty(&long), to_text(&long) + "\n");
        }
        let deep = format!("{}a{}", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!(".repeat(490), ")".repeat(490));
        assert!(pretty(&read(&deep)).len() > deep.len() / 2);
        // Many items, or elements, are no long expression.
        let many = "fn f() { g(); } ".repeat(LONGEST / 8);
        assert_eq!(pretty(&read(&many)).lines().count(), 3 * LONGEST / 8);
        let many = "#[a] struct S { a: u8 } impl S { fn f() { if a {} else {} } } const A: u8 = 1;";
        assert!(longest(read(&many.repeat(LONGEST)).trees()) < 40);
        assert!(longest(read(&"1, ".repeat(LONGEST)).trees()) < 40);
    }

    #[test]
    fn groups_that_nobody_sees_keep_their_operands_together() {
        let within = |text: &str| {
            let site = Span::site(Hygiene::Call);
            let (delimiter, stream) = (Delimiter::None, read(text));
            Tree::Group(Group { delimiter, stream, open: site, close: site, entire: site })
        };
        let with = |before: &str, group: Tree, after: &str| {
            let trees = [read(before).trees(), &[group], read(after).trees()].concat();
            pretty(&trees.into())
        };
        assert_eq!(with("", within("1 + 2"), "* 2"), "(1 + 2) * 2\n");
        assert_eq!(with("", within("1 * 2"), "+ 2"), "1 * 2 + 2\n");
        assert_eq!(with("fn f() { a }", within(""), "fn g<'a>() {}").lines().count(), 4);
        assert_eq!(with("", within("pub(crate)"), "struct S;"), "pub(crate) struct S;\n");
        assert_eq!(with("const A:", within("Vec<u8>"), "= 1;"), "const A: Vec<u8> = 1;\n");
        // What is no Rust stays as it is.
        assert_eq!(with("=> <", within("a + b"), "$ #").split_whitespace().count(), 7);
    }
}
