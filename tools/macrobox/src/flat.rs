// SPDX-License-Identifier: MIT OR Apache-2.0

//! The token trees of the toolchain server's JSON protocol, version 6: flat arrays of numbers.

use crate::{
    Delimiter, Group, Hygiene, Ident, Literal, LiteralKind, Punct, Span, Stream, Text, Tree,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The version of the protocol spoken here.
pub const VERSION: u32 = 6;
/// Numbers of one span in a span table: file, anchor, start, end, hygiene.
const SPAN: usize = 5;

/// A token tree as it crosses the pipe.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Flat {
    subtree: Vec<u32>,
    literal: Vec<u32>,
    punct: Vec<u32>,
    ident: Vec<u32>,
    token_tree: Vec<u32>,
    text: Vec<String>,
}

/// The spans of a request by number. A token's [`Span::file`] is the number of the span it came
/// with; places that the macro made of them get new numbers.
#[derive(Debug, Clone)]
pub struct Spans {
    table: Vec<u32>,
    /// Numbers of definition, call and mixed site.
    sites: [u32; 3],
}

impl Spans {
    /// The table of a request.
    pub fn new(table: Vec<u32>, definition: u32, call: u32, mixed: u32) -> Self {
        Spans { table, sites: [definition, call, mixed] }
    }

    /// The table, with what was added.
    pub fn into_table(self) -> Vec<u32> {
        self.table
    }

    fn entry(&self, number: u32) -> Option<[u32; SPAN]> {
        let at = number as usize * SPAN;
        self.table.get(at..at + SPAN)?.try_into().ok()
    }

    fn span(&self, number: u32) -> Span {
        match self.entry(number) {
            Some([_, _, lo, hi, _]) => Span { file: number, lo, hi, hygiene: Hygiene::Source },
            None => Span::site(Hygiene::Call),
        }
    }

    fn number(&mut self, span: Span) -> u32 {
        let [definition, call, mixed] = self.sites;
        let site = match span.hygiene {
            Hygiene::Definition => definition,
            Hygiene::Call => call,
            Hygiene::Mixed => mixed,
            Hygiene::Source => span.file,
        };
        if span.is_made() {
            return if span.hygiene == Hygiene::Source { call } else { site };
        }
        let Some([file, anchor, lo, hi, context]) = self.entry(span.file) else { return call };
        let context = match span.hygiene {
            Hygiene::Source => context,
            _ => self.entry(site).map_or(context, |site| site[4]),
        };
        let wanted = [file, anchor, span.lo, span.hi, context];
        if self.entry(span.file) == Some(wanted) || (span.lo, span.hi) == (lo, hi) && context == 0 {
            return span.file;
        }
        self.table.extend(wanted);
        (self.table.len() / SPAN - 1) as u32
    }
}

fn kind_number(kind: LiteralKind) -> u32 {
    let (number, hashes) = match kind {
        LiteralKind::Error => (0, 0),
        LiteralKind::Byte => (1, 0),
        LiteralKind::Char => (2, 0),
        LiteralKind::Integer => (3, 0),
        LiteralKind::Float => (4, 0),
        LiteralKind::Str => (5, 0),
        LiteralKind::StrRaw(n) => (6, n),
        LiteralKind::ByteStr => (7, 0),
        LiteralKind::ByteStrRaw(n) => (8, n),
        LiteralKind::CStr => (9, 0),
        LiteralKind::CStrRaw(n) => (10, n),
    };
    number | u32::from(hashes) << 8
}

fn kind_of(number: u32) -> LiteralKind {
    let hashes = (number >> 8) as u8;
    match number & 0xff {
        1 => LiteralKind::Byte,
        2 => LiteralKind::Char,
        3 => LiteralKind::Integer,
        4 => LiteralKind::Float,
        5 => LiteralKind::Str,
        6 => LiteralKind::StrRaw(hashes),
        7 => LiteralKind::ByteStr,
        8 => LiteralKind::ByteStrRaw(hashes),
        9 => LiteralKind::CStr,
        10 => LiteralKind::CStrRaw(hashes),
        _ => LiteralKind::Error,
    }
}

fn delimiter_number(delimiter: Delimiter) -> u32 {
    match delimiter {
        Delimiter::None => 0,
        Delimiter::Parenthesis => 1,
        Delimiter::Brace => 2,
        Delimiter::Bracket => 3,
    }
}

/// `stream` as a flat tree below one invisible group.
pub fn to_flat(stream: &Stream, spans: &mut Spans) -> Flat {
    let mut flat = Flat::default();
    let mut known: HashMap<Text, u32> = HashMap::new();
    let site = spans.number(Span::site(Hygiene::Call));
    flat.subtree.extend([site, site, 0, 0, 0]);
    // Breadth first: the groups in the order in which they were met.
    let mut work = std::collections::VecDeque::from([(0usize, stream.clone())]);
    while let Some((index, stream)) = work.pop_front() {
        let first = flat.token_tree.len();
        for tree in stream.trees() {
            let mut text = |text: &Text, texts: &mut Vec<String>| {
                *known.entry(text.clone()).or_insert_with(|| {
                    texts.push(text.to_string());
                    texts.len() as u32 - 1
                })
            };
            let (number, tag) = match tree {
                Tree::Group(group) => {
                    let number = flat.subtree.len() / 5;
                    let (open, close) = (spans.number(group.open), spans.number(group.close));
                    flat.subtree.extend([open, close, delimiter_number(group.delimiter), 0, 0]);
                    work.push_back((number, group.stream.clone()));
                    (number, 0)
                }
                Tree::Literal(literal) => {
                    let span = spans.number(literal.span);
                    let suffix = literal.suffix.as_ref();
                    let suffix = suffix.map_or(u32::MAX, |suffix| text(suffix, &mut flat.text));
                    let text = text(&literal.text, &mut flat.text);
                    flat.literal.extend([span, text, kind_number(literal.kind), suffix]);
                    (flat.literal.len() / 4 - 1, 1)
                }
                Tree::Punct(punct) => {
                    let span = spans.number(punct.span);
                    flat.punct.extend([span, punct.ch.into(), punct.joint.into()]);
                    (flat.punct.len() / 3 - 1, 2)
                }
                Tree::Ident(ident) => {
                    let span = spans.number(ident.span);
                    let text = text(&ident.text, &mut flat.text);
                    flat.ident.extend([span, text, ident.raw.into()]);
                    (flat.ident.len() / 3 - 1, 3)
                }
            };
            flat.token_tree.push((number as u32) << 2 | tag);
        }
        flat.subtree[index * 5 + 3] = first as u32;
        flat.subtree[index * 5 + 4] = flat.token_tree.len() as u32;
    }
    flat
}

/// The stream of a flat tree; none if its numbers lead nowhere.
pub fn from_flat(flat: &Flat, spans: &Spans) -> Option<Stream> {
    let texts: Vec<Text> = flat.text.iter().map(|text| Text::from(&**text)).collect();
    // Groups refer to later groups only, so from the last to the first each finds its parts made.
    let groups = flat.subtree.len() / 5;
    let mut streams: Vec<Option<Stream>> = vec![None; groups];
    for index in (0..groups).rev() {
        let [_, _, _, first, end] = row::<5>(&flat.subtree, index)?;
        let mut trees = Vec::new();
        for tagged in flat.token_tree.get(first as usize..end as usize)? {
            let number = (tagged >> 2) as usize;
            trees.push(match tagged & 3 {
                0 => {
                    let [open, close, kind, ..] = row::<5>(&flat.subtree, number)?;
                    let (open, close) = (spans.span(open), spans.span(close));
                    Tree::Group(Group {
                        delimiter: match kind {
                            1 => Delimiter::Parenthesis,
                            2 => Delimiter::Brace,
                            3 => Delimiter::Bracket,
                            _ => Delimiter::None,
                        },
                        stream: streams.get_mut(number)?.take()?,
                        open,
                        close,
                        entire: open.join(close).unwrap_or(open),
                    })
                }
                1 => {
                    let [span, text, kind, suffix] = row::<4>(&flat.literal, number)?;
                    Tree::Literal(Literal {
                        kind: kind_of(kind),
                        text: texts.get(text as usize)?.clone(),
                        suffix: texts.get(suffix as usize).cloned(),
                        span: spans.span(span),
                    })
                }
                2 => {
                    let [span, ch, joint] = row::<3>(&flat.punct, number)?;
                    let ch = u8::try_from(ch).ok()?;
                    Tree::Punct(Punct { ch, joint: joint == 1, span: spans.span(span) })
                }
                _ => {
                    let [span, text, raw] = row::<3>(&flat.ident, number)?;
                    let text = texts.get(text as usize)?.clone();
                    Tree::Ident(Ident { text, raw: raw == 1, span: spans.span(span) })
                }
            });
        }
        streams[index] = Some(trees.into());
    }
    streams.first_mut()?.take()
}

fn row<const N: usize>(numbers: &[u32], index: usize) -> Option<[u32; N]> {
    numbers.get(index * N..index * N + N)?.try_into().ok()
}
