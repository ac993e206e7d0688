// SPDX-License-Identifier: MIT OR Apache-2.0

//! A recording as a text file to commit: replayed without compiling the calls again.
//!
//! Tokens are written as source, one blank between two, with what text would lose: a punctuation
//! character that is joint has no blank after it, `⟨ ⟩` are groups without delimiters, a literal begins
//! with a backslash and has its own blanks escaped. Spans are not kept.

use crate::cargo::MacroCrate;
use crate::lex::lex_literal;
use crate::library::crate_name;
use crate::{
    Delimiter, Error, Group, Hygiene, Ident, Kind, Punct, Record, Recording, Span, Stream, Tree,
    literal_text,
};
use std::fmt::Write;

const FIRST: &str = "macrobox corpus 1, recorded by ";
const WIDTH: usize = 110;
const KINDS: [(&str, Kind); 3] =
    [("derive", Kind::Derive), ("attribute", Kind::Attribute), ("function", Kind::Function)];

/// What is written of `recording`: calls of macros that a version stands for, or that lie in the same
/// workspace. A path outside changes what it does without a new version.
pub fn write(recording: &Recording, crates: &[MacroCrate], compiler: &str) -> String {
    let mut out = format!("{FIRST}{compiler}\n");
    let surroundings = recording.records.first().map_or(&[][..], |record| &record.environment);
    let mut environment: Vec<_> = surroundings.iter().filter(|(name, _)| is_kept(name)).collect();
    environment.sort();
    environment.iter().for_each(|(name, value)| _ = writeln!(out, "env {name}={value}"));
    for record in &recording.records {
        let name = crate_name(record.library.as_ref());
        let own = crates.iter().find(|one| one.crate_name() == name && one.pinned);
        let Some(MacroCrate { version, .. }) = own else { continue };
        let kind = KINDS.iter().find(|(_, kind)| *kind == record.kind).map_or("", |one| one.0);
        let place = record.place();
        let _ = writeln!(out, "{kind} {name} {version} {} {}", record.name, portable(&place));
        let streams = [("arguments", &record.attribute), ("input", &Some(record.input.clone()))];
        for (key, stream) in streams.into_iter().chain([("output", &record.output)]) {
            if let Some(stream) = stream {
                let _ = writeln!(out, "{key}");
                wrap(&atoms(stream), &mut out);
            }
        }
    }
    out
}

/// A place in a published crate without where this machine keeps it.
fn portable(place: &str) -> &str {
    let kept = place.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/'));
    kept.map_or(place, |(_, rest)| rest)
}

/// The package's own description, and nothing of the machine.
fn is_kept(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name == "CARGO_CRATE_NAME"
}

/// The recording that `text` holds, of macros among `crates`.
pub fn read(text: &str, crates: &[MacroCrate]) -> Result<Recording, Error> {
    let mut lines = text.lines().enumerate().peekable();
    let wrong = |at: usize, what: &str| Error::Name(format!("line {}: {what}", at + 1));
    if !lines.next().is_some_and(|(_, line)| line.starts_with(FIRST)) {
        return Err(wrong(0, "this is no corpus of macrobox"));
    }
    let mut environment = Vec::new();
    let mut records: Vec<Record> = Vec::new();
    while let Some((at, line)) = lines.next() {
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        let mut body = || {
            let mut body = String::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with(' ')) {
                body += line;
                body.push(' ');
            }
            body
        };
        match (words[..].first().copied(), records.last_mut()) {
            (Some("env"), _) => {
                let (name, value) = line[4..].split_once('=').unwrap_or((&line[4..], ""));
                environment.push((name.to_owned(), value.to_owned()));
            }
            (Some(key @ ("arguments" | "input" | "output")), Some(record)) => {
                let stream = read_stream(&body()).map_err(|why| wrong(at, &why))?;
                match key {
                    "arguments" => record.attribute = Some(stream),
                    "input" => record.input = stream,
                    _ => record.output = Some(stream),
                }
            }
            _ => {
                let [kind, name, version, macro_name, place] = words[..] else {
                    return Err(wrong(at, "neither a call nor one of its parts"));
                };
                let known = KINDS.iter().find(|one| one.0 == kind);
                let (_, kind) = *known.ok_or_else(|| wrong(at, "no kind of macro"))?;
                let own = crates.iter().find(|one| one.crate_name() == name);
                let here = own.map_or("not to be found", |one| &one.version);
                let Some(own) = own.filter(|one| one.version == version) else {
                    let why = format!("recorded with {name} {version}, which is {here} here");
                    return Err(wrong(at, &format!("{why}: record anew with `selftest --write`")));
                };
                let (file, line) = place.rsplit_once(':').unwrap_or((place, "0"));
                records.push(Record {
                    crate_name: String::new(),
                    environment: environment.clone(),
                    directory: String::new(),
                    library: own.path.display().to_string(),
                    kind,
                    name: macro_name.into(),
                    files: vec![file.into()],
                    site: Span::site(Hygiene::Call),
                    line: line.parse().unwrap_or(0),
                    attribute: None,
                    input: Stream::default(),
                    output: None,
                    nanoseconds: 0,
                });
            }
        }
    }
    Ok(Recording { records, ..Recording::default() })
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::None => ("⟨", "⟩"),
        other => other.pair(),
    }
}

/// Each without blanks; joint punctuation is glued to what follows.
fn atoms(stream: &Stream) -> Vec<String> {
    fn add(atoms: &mut Vec<String>, glued: &mut String, text: &str) {
        atoms.push(std::mem::take(glued) + text);
    }
    fn all(stream: &Stream, atoms: &mut Vec<String>, glued: &mut String) {
        for tree in stream.trees() {
            match tree {
                Tree::Group(group) => {
                    let (open, close) = brackets(group.delimiter);
                    add(atoms, glued, open);
                    all(&group.stream, atoms, glued);
                    add(atoms, glued, close);
                }
                Tree::Punct(punct) if punct.joint => glued.push(punct.ch.into()),
                Tree::Punct(punct) => add(atoms, glued, &char::from(punct.ch).to_string()),
                // `$crate` is one identifier.
                Tree::Ident(ident) if ident.text.starts_with('$') => {
                    add(atoms, glued, &format!("`{}", ident.text));
                }
                Tree::Ident(ident) if ident.raw => add(atoms, glued, &format!("r#{}", ident.text)),
                Tree::Ident(ident) => add(atoms, glued, &ident.text),
                Tree::Literal(literal) => {
                    let mut text = String::from("\\");
                    literal_text(literal).chars().for_each(|ch| {
                        match ESCAPES.iter().find(|one| one.0 == ch) {
                            Some((_, letter)) => text.extend(['\\', *letter]),
                            None => text.push(ch),
                        }
                    });
                    add(atoms, glued, &text);
                }
            }
        }
    }
    let (mut found, mut glued) = (Vec::new(), String::new());
    all(stream, &mut found, &mut glued);
    if !glued.is_empty() {
        add(&mut found, &mut glued, "`"); // nothing, but no blank
    }
    found
}

const ESCAPES: [(char, char); 5] =
    [('\\', '\\'), (' ', 's'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

fn wrap(atoms: &[String], out: &mut String) {
    let mut length = 0;
    for atom in atoms {
        if length > 0 && length + atom.len() >= WIDTH {
            out.push('\n');
            length = 0;
        }
        out.push(' ');
        *out += atom;
        length += atom.len() + 1;
    }
    out.push_str(if atoms.is_empty() { "" } else { "\n" });
}

fn read_stream(text: &str) -> Result<Stream, String> {
    let span = Span::site(Hygiene::Call);
    let mut open: Vec<(Delimiter, Vec<Tree>)> = vec![(Delimiter::None, Vec::new())];
    const ALL: [Delimiter; 4] =
        [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest = word;
        while let Some(ch) = rest.chars().next() {
            let after = &rest[ch.len_utf8()..];
            let trees = &mut open.last_mut().ok_or("a group is closed twice")?.1;
            let opened = ALL.into_iter().find(|one| brackets(*one).0.starts_with(ch));
            let closed = ALL.into_iter().find(|one| brackets(*one).1.starts_with(ch));
            if let Some(delimiter) = opened {
                open.push((delimiter, Vec::new()));
            } else if let Some(delimiter) = closed {
                let (known, trees) = open.pop().ok_or("a group is closed twice")?;
                let outer = &mut open.last_mut().ok_or("a group is closed twice")?.1;
                if known != delimiter {
                    return Err(format!("`{ch}` closes another kind of group"));
                }
                let stream = trees.into();
                let group = Group { delimiter, stream, open: span, close: span, entire: span };
                outer.push(Tree::Group(group));
            } else if ch == '\\' {
                trees.push(Tree::Literal(lex_literal(&unescaped(after), span)?));
                break;
            } else if ch == '`' && !after.starts_with('$') {
                // Nothing.
            } else if ch.is_ascii_punctuation() && !matches!(ch, '_' | '`') {
                let joint = !after.is_empty();
                trees.push(Tree::Punct(Punct { ch: ch as u8, joint, span }));
            } else {
                let name = rest.trim_start_matches('`');
                let bare = name.strip_prefix("r#");
                let (text, raw) = (bare.unwrap_or(name).into(), bare.is_some());
                trees.push(Tree::Ident(Ident { text, raw, span }));
                break;
            }
            rest = after;
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some((_, trees)), true) => Ok(trees.into()),
        _ => Err("a group is not closed".into()),
    }
}

fn unescaped(text: &str) -> String {
    let (mut out, mut chars) = (String::new(), text.chars());
    while let Some(ch) = chars.next() {
        let escaped = if ch == '\\' { chars.next() } else { None };
        let known = ESCAPES.iter().find(|one| escaped == Some(one.1));
        out.push(known.map_or(ch, |one| one.0));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agree::first_difference;
    use crate::{Call, Literal, LiteralKind};

    #[test]
    fn tokens_come_back_as_they_were() {
        let text = "pub fn r#type<'a>(größe: &'a str) -> f64 { x.0.1 ..= y >>= 'l: -1_u8; \"a \\\"b\\\\ \n\" \
                    r##\"raw \"# text\"## b'\\n' c\"c\" '\u{a0}' ' ' $ crate #[doc = \"d\"] () [] {} _ a_b }";
        let mut stream = Call::from_source(Kind::Function, "any", text).unwrap().input;
        let span = Span::site(Hygiene::Call);
        let ident = |text: &str| Tree::Ident(Ident { text: text.into(), raw: false, span });
        let last = Tree::Punct(Punct { ch: b'+', joint: true, span });
        // What no source text has: an invisible group, `$crate`, a joint character at an end.
        for delimiter in [Delimiter::None, Delimiter::Brace] {
            let stream_inside = vec![ident("$crate"), last.clone()].into();
            let group =
                Group { delimiter, stream: stream_inside, open: span, close: span, entire: span };
            stream.push(Tree::Group(group));
        }
        stream.push(Tree::Punct(Punct { ch: b'$', joint: true, span }));
        stream.push(ident("crate"));
        stream.push(Tree::Literal(Literal {
            kind: LiteralKind::Integer,
            text: "1".into(),
            suffix: Some("u8".into()),
            span,
        }));
        stream.push(last);
        let mut written = String::new();
        wrap(&atoms(&stream), &mut written);
        let again = read_stream(&written.replace('\n', " ")).unwrap();
        assert_eq!(first_difference(&again, &stream), None, "{written}");
        assert!(written.lines().all(|line| line.starts_with(' ')), "{written}");
    }

    #[test]
    fn a_damaged_corpus_is_refused_at_its_line() {
        let refused = |text: &str| read(text, &[]).unwrap_err().to_string();
        assert!(refused("something else").contains("line 1: this is no corpus"));
        let of = |line: &str| refused(&format!("{FIRST}rustc\nenv A=b\n{line}\n"));
        assert!(
            of("derive x 1.0.0 Y lib.rs:1").contains("line 3: recorded with x 1.0.0, which is not")
        );
        assert!(of("nothing").contains("line 3: neither a call"));
    }
}
