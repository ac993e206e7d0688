// SPDX-License-Identifier: MIT OR Apache-2.0

//! Source text to tokens, as rustc's lexer and its bridge cut them: operators one character at a
//! time, a lifetime as a joint `'` and a name, a doc comment as its attribute.

use crate::token::*;

/// Why a text is not a token stream, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexError {
    pub message: String,
    /// Byte in the text.
    pub at: usize,
}

/// Lexes `text`; `span` turns a byte range of it into a token's span.
pub fn lex(text: &str, span: impl Fn(usize, usize) -> Span) -> Result<Stream, LexError> {
    let mut lexer = Lexer { text, at: 0, span };
    let mut open: Vec<(Delimiter, usize, Vec<Tree>)> = Vec::new();
    let mut trees = Vec::new();
    while let Some((next, start)) = lexer.skip_blank(&mut trees)? {
        match next {
            b'(' | b'[' | b'{' => {
                lexer.at += 1;
                let delimiter = match next {
                    b'(' => Delimiter::Parenthesis,
                    b'[' => Delimiter::Bracket,
                    _ => Delimiter::Brace,
                };
                open.push((delimiter, start, std::mem::take(&mut trees)));
            }
            b')' | b']' | b'}' => {
                lexer.at += 1;
                let fails = |message| Err(LexError { message, at: start });
                let Some((delimiter, begin, outer)) = open.pop() else {
                    return fails(format!("unexpected closing delimiter `{}`", next as char));
                };
                if delimiter.pair().1.as_bytes() != [next] {
                    return fails(format!("mismatched closing delimiter `{}`", next as char));
                }
                let stream = std::mem::replace(&mut trees, outer).into();
                trees.push(Tree::Group(Group {
                    delimiter,
                    stream,
                    open: (lexer.span)(begin, begin + 1),
                    close: (lexer.span)(start, start + 1),
                    entire: (lexer.span)(begin, start + 1),
                }));
            }
            _ => lexer.token(&mut trees)?,
        }
    }
    match open.pop() {
        Some((_, at, _)) => Err(LexError { message: "unclosed delimiter".into(), at }),
        None => Ok(trees.into()),
    }
}

/// Lexes exactly one literal, with a minus before a number if there is one.
pub fn lex_literal(text: &str, span: Span) -> Result<Literal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let stream = lex(digits, |_, _| span).map_err(|error| error.message)?;
    let [Tree::Literal(literal)] = stream.trees() else {
        return Err(format!("not a literal: `{text}`"));
    };
    if literal_text(literal).len() != digits.len() {
        return Err(format!("blanks or comments around the literal `{text}`"));
    }
    let mut literal = literal.clone();
    if digits.len() != text.len() {
        if !matches!(literal.kind, LiteralKind::Integer | LiteralKind::Float) {
            return Err(format!("only a number can be negative: `{text}`"));
        }
        literal.text = format!("-{}", literal.text).into();
    }
    Ok(literal)
}

pub fn is_ident_start(ch: char) -> bool {
    ch == '_' || ch.is_alphabetic()
}

pub fn is_ident_continue(ch: char) -> bool {
    ch == '_' || ch.is_alphanumeric()
}

fn is_punct(ch: u8) -> bool {
    b"~!@#$%^&*-=+|;:,<.>/?".contains(&ch)
}

fn is_blank(ch: char) -> bool {
    matches!(ch, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
        || matches!(ch, '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

struct Lexer<'a, F> {
    text: &'a str,
    at: usize,
    span: F,
}

impl<'a, F: Fn(usize, usize) -> Span> Lexer<'a, F> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn error<T>(&self, message: &str, at: usize) -> Result<T, LexError> {
        Err(LexError { message: message.into(), at })
    }

    /// Skips blanks and comments; a doc comment becomes tokens. The next byte and where it is.
    fn skip_blank(&mut self, trees: &mut Vec<Tree>) -> Result<Option<(u8, usize)>, LexError> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches(is_blank).len();
            self.at += blank;
            let (rest, start) = (self.rest(), self.at);
            if rest.starts_with("//") {
                let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
                self.at += line.len();
                let line = line.strip_suffix('\r').unwrap_or(line);
                if let Some(doc) = line.strip_prefix("//!") {
                    self.doc(trees, doc, true, start, start + line.len());
                } else if line.starts_with("///") && !line.starts_with("////") {
                    self.doc(trees, &line[3..], false, start, start + line.len());
                }
            } else if rest.starts_with("/*") {
                let length = self.block_comment()?;
                let comment = &rest[..length];
                if comment.starts_with("/*!") {
                    self.doc(trees, &comment[3..length - 2], true, start, start + length);
                } else if comment.starts_with("/**") && !comment.starts_with("/***") && length > 4 {
                    self.doc(trees, &comment[3..length - 2], false, start, start + length);
                }
            } else {
                return Ok((!rest.is_empty()).then(|| (self.byte(0), start)));
            }
        }
    }

    fn block_comment(&mut self) -> Result<usize, LexError> {
        let start = self.at;
        let mut depth = 0;
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => (depth, self.at) = (depth + 1, self.at + 2),
                (b'*', b'/') => (depth, self.at) = (depth - 1, self.at + 2),
                _ if self.at >= self.text.len() => {
                    return self.error("unterminated block comment", start);
                }
                _ => self.at += 1,
            }
            if depth == 0 {
                return Ok(self.at - start);
            }
        }
    }

    fn doc(&self, trees: &mut Vec<Tree>, text: &str, inner: bool, start: usize, end: usize) {
        let span = (self.span)(start, end);
        let punct = |ch| Tree::Punct(Punct { ch, joint: false, span });
        let escaped: String =
            text.replace("\r\n", "\n").chars().flat_map(char::escape_debug).collect();
        let contents = vec![
            Tree::Ident(Ident { text: "doc".into(), raw: false, span }),
            punct(b'='),
            Tree::Literal(Literal {
                kind: LiteralKind::Str,
                text: escaped.into(),
                suffix: None,
                span,
            }),
        ];
        trees.push(punct(b'#'));
        if inner {
            trees.push(punct(b'!'));
        }
        trees.push(Tree::Group(Group {
            delimiter: Delimiter::Bracket,
            stream: contents.into(),
            open: span,
            close: span,
            entire: span,
        }));
    }

    fn token(&mut self, trees: &mut Vec<Tree>) -> Result<(), LexError> {
        let start = self.at;
        let literal = self.literal()?;
        if let Some((kind, text)) = literal {
            // A number has taken its suffix itself.
            let number = matches!(kind, LiteralKind::Integer | LiteralKind::Float);
            let (text, suffix) =
                if number { split_suffix(text, kind) } else { (text, self.name()) };
            trees.push(Tree::Literal(Literal {
                kind,
                text: text.into(),
                suffix: (!suffix.is_empty()).then(|| suffix.into()),
                span: (self.span)(start, self.at),
            }));
            return Ok(());
        }
        if self.byte(0) == b'\'' {
            self.at += 1;
            let quote = (self.span)(start, self.at);
            trees.push(Tree::Punct(Punct { ch: b'\'', joint: true, span: quote }));
        }
        let start = self.at;
        let raw = self.rest().starts_with("r#") && self.rest()[2..].starts_with(is_ident_start);
        self.at += if raw { 2 } else { 0 };
        let name = self.name();
        if !name.is_empty() {
            let span = (self.span)(start, self.at);
            trees.push(Tree::Ident(Ident { text: name.into(), raw, span }));
            return Ok(());
        }
        if !is_punct(self.byte(0)) {
            let ch = self.rest().chars().next().unwrap_or(' ');
            return self.error(&format!("unknown start of token: {ch}"), start);
        }
        self.at += 1;
        let comment = self.byte(0) == b'/' && matches!(self.byte(1), b'/' | b'*');
        trees.push(Tree::Punct(Punct {
            ch: self.text.as_bytes()[start],
            joint: is_punct(self.byte(0)) && !comment,
            span: (self.span)(start, self.at),
        }));
        Ok(())
    }

    /// An identifier's text, perhaps none.
    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        if !rest.starts_with(is_ident_start) {
            return "";
        }
        let length = rest.find(|ch| !is_ident_continue(ch)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn literal(&mut self) -> Result<Option<(LiteralKind, &'a str)>, LexError> {
        let (first, second) = (self.byte(0), self.byte(1));
        let raw_after = |prefix: usize| {
            let after = self.rest()[prefix..].trim_start_matches('#');
            after.starts_with('"').then(|| self.rest().len() - prefix - after.len())
        };
        Ok(match (first, second) {
            (b'0'..=b'9', _) => Some(self.number()),
            (b'"', _) => Some((LiteralKind::Str, self.quoted(1, '"')?)),
            (b'b', b'"') => Some((LiteralKind::ByteStr, self.quoted(2, '"')?)),
            (b'c', b'"') => Some((LiteralKind::CStr, self.quoted(2, '"')?)),
            (b'b', b'\'') => Some((LiteralKind::Byte, self.quoted(2, '\'')?)),
            (b'\'', _) if self.is_char() => Some((LiteralKind::Char, self.quoted(1, '\'')?)),
            (b'r', b'"' | b'#') => match raw_after(1) {
                Some(n) => Some((LiteralKind::StrRaw(n as u8), self.raw(1, n)?)),
                None => None,
            },
            (b'b', b'r') | (b'c', b'r') => match raw_after(2) {
                Some(n) if first == b'b' => {
                    Some((LiteralKind::ByteStrRaw(n as u8), self.raw(2, n)?))
                }
                Some(n) => Some((LiteralKind::CStrRaw(n as u8), self.raw(2, n)?)),
                None => None,
            },
            _ => None,
        })
    }

    /// After a `'`: a character, or the name of a lifetime?
    fn is_char(&self) -> bool {
        let mut chars = self.rest()[1..].chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), _) | (Some(_), Some('\'')) => true,
            (Some(first), _) => !is_ident_start(first),
            (None, _) => true,
        }
    }

    fn quoted(&mut self, prefix: usize, quote: char) -> Result<&'a str, LexError> {
        let start = self.at;
        let body = &self.rest()[prefix..];
        let mut escaped = false;
        for (index, ch) in body.char_indices() {
            if !escaped && ch == quote {
                self.at += prefix + index + 1;
                return Ok(&body[..index]);
            }
            escaped = !escaped && ch == '\\';
        }
        self.error("unterminated literal", start)
    }

    fn raw(&mut self, prefix: usize, hashes: usize) -> Result<&'a str, LexError> {
        let start = self.at;
        if hashes > 255 {
            return self.error("more than 255 `#` before a raw string", start);
        }
        let begin = prefix + hashes + 1;
        let body = &self.rest()[begin..];
        let end = format!("\"{}", "#".repeat(hashes));
        let Some(length) = body.find(&end) else {
            return self.error("unterminated raw string", start);
        };
        self.at += begin + length + end.len();
        Ok(&body[..length])
    }

    fn number(&mut self) -> (LiteralKind, &'a str) {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let run = |from: usize| {
            let tail = &bytes[from.min(bytes.len())..];
            from + tail.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count()
        };
        let mut kind = LiteralKind::Integer;
        let mut end;
        if bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'o' | b'b')) {
            let hex = bytes[1] == b'x';
            let is_digit = |byte: &u8| {
                byte.is_ascii_digit() || *byte == b'_' || (hex && byte.is_ascii_hexdigit())
            };
            end = 2 + bytes[2..].iter().take_while(|byte| is_digit(byte)).count();
        } else {
            end = run(0);
            let next = rest[end..].chars().nth(1);
            let fraction = rest[end..].starts_with('.')
                && next.is_none_or(|ch| ch != '.' && !is_ident_start(ch));
            if fraction {
                (kind, end) = (LiteralKind::Float, run(end + 1));
            }
            if let Some(exponent) = exponent(&bytes[end..]) {
                (kind, end) = (LiteralKind::Float, run(end + exponent));
            }
        }
        self.at += end;
        let suffix = self.name().len();
        (kind, &rest[..end + suffix])
    }
}

/// The length of `e`, sign and underscores before an exponent's first digit.
fn exponent(bytes: &[u8]) -> Option<usize> {
    if !matches!(bytes.first(), Some(b'e' | b'E')) {
        return None;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let underscores = bytes[1 + sign..].iter().take_while(|byte| **byte == b'_').count();
    let digit = 1 + sign + underscores;
    bytes.get(digit).is_some_and(u8::is_ascii_digit).then_some(digit)
}

/// A number's digits and its suffix.
fn split_suffix(text: &str, kind: LiteralKind) -> (&str, &str) {
    let bytes = text.as_bytes();
    let hex = text.starts_with("0x");
    let radix = hex || text.starts_with("0o") || text.starts_with("0b");
    let mut at = if radix { 2 } else { 0 };
    while at < bytes.len() {
        let digit = match bytes[at] {
            b'0'..=b'9' | b'_' | b'.' => 1,
            b'a'..=b'f' | b'A'..=b'F' if hex => 1,
            b'e' | b'E' if kind == LiteralKind::Float => match exponent(&bytes[at..]) {
                Some(length) => length,
                None => break,
            },
            _ => break,
        };
        at += digit;
    }
    text.split_at(at)
}
