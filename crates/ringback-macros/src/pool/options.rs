// SPDX-License-Identifier: MIT OR Apache-2.0

//! `fallback = -1; on_panic = abort; ..`

use super::pointer::Pointer;
use crate::cursor::{Cursor, expression, place, text};
use crate::errors::{Error, Message, Result};
use proc_macro::{Delimiter, Span, TokenStream};

/// The options, each a ready expression or word. An expression that is `None` is the fallback.
pub(super) struct Options {
    /// `None`: an alias, whose type must say that there is nothing to answer.
    pub(super) fallback: Option<TokenStream>,
    pub(super) on_panic: (&'static str, Option<TokenStream>),
    pub(super) on_busy: Busy,
    pub(super) on_wrong_thread: Option<TokenStream>,
    pub(super) reuse: &'static str,
    pub(super) always_counted: &'static str,
    pub(super) count_calls: &'static str,
    /// What stands before and after the slot's number.
    pub(super) export: Option<(String, String)>,
}

#[derive(Default)]
pub(super) struct Busy {
    /// `None`: not at all.
    pub(super) wait: Option<TokenStream>,
    pub(super) answer: Option<TokenStream>,
}

const NAMES: [&str; 8] = [
    "fallback",
    "on_panic",
    "on_busy",
    "on_wrong_thread",
    "reuse",
    "protection",
    "count_calls",
    "export",
];

impl Options {
    pub(super) fn parse(input: &mut Cursor, pointer: &Pointer) -> Result<Self> {
        let [fallback, on_panic, on_busy, on_wrong_thread, reuse, protection, count_calls, export] =
            values(input)?;
        let fallback = match (fallback, pointer) {
            (None, Pointer::Written(function)) if function.returns_nothing() => {
                Some(function.output.clone())
            }
            (None, Pointer::Written(function)) => {
                let span = place(&function.output, function.output_span);
                return Err(Error::new(Message::MissingFallback, span));
            }
            (fallback, _) => fallback,
        };
        Ok(Options {
            fallback,
            on_panic: on_panic
                .map_or(Ok(("Answer", None)), |given| panic_policy(given, pointer))?,
            on_busy: on_busy.map_or(Ok(Busy::default()), busy)?,
            on_wrong_thread,
            reuse: choice(
                reuse,
                &[
                    ("after_confirmation", "AfterConfirmation"),
                    ("never", "Never"),
                    ("oldest_first", "OldestFirst"),
                ],
                Message::BadReuse,
            )?,
            always_counted: choice(
                protection,
                &[("auto", "false"), ("counter", "true")],
                Message::BadProtection,
            )?,
            count_calls: choice(
                count_calls,
                &[("false", "false"), ("true", "true")],
                Message::BadCountCalls,
            )?,
            export: export.map(symbols).transpose()?,
        })
    }
}

/// The value of each option that is given, in the order of [`NAMES`].
fn values(input: &mut Cursor) -> Result<[Option<TokenStream>; NAMES.len()]> {
    let mut given = [const { None }; NAMES.len()];
    while !input.is_empty() {
        input.open();
        let span = input.span();
        if input.is_mark(0, '#') || input.is_word(0, "pub") || input.is_word(0, "static") {
            return input.error(Message::SecondPool);
        }
        let Some(name) = input.ident() else { return input.error(Message::ExpectedOption) };
        let name = name.to_string();
        let Some(place) = NAMES.iter().position(|known| *known == name) else {
            return Err(Error::new(Message::UnknownOption(name), span));
        };
        if given[place].is_some() {
            return Err(Error::new(Message::RepeatedOption(name), span));
        }
        if !input.mark('=') {
            return input.error(Message::EmptyOption(name));
        }
        let value = input.until(|_| false);
        if value.is_empty() {
            return input.error(Message::EmptyOption(name));
        }
        if !input.mark(';') {
            return input.error(Message::ExpectedSemicolon { after: "an option" });
        }
        given[place] = Some(expression(value));
    }
    Ok(given)
}

/// `"on_message_{}"`, where both parts are parts of a C name.
fn symbols(given: TokenStream) -> Result<(String, String)> {
    let literal = text(&given);
    let name = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let fits = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match name.and_then(|name| name.split_once("{}")) {
        Some((before, after))
            if fits(before) && fits(after) && before.starts_with(|c: char| !c.is_ascii_digit()) =>
        {
            Ok((before.to_owned(), after.to_owned()))
        }
        _ => Err(Error::new(Message::BadExport, place(&given, Span::call_site()))),
    }
}

/// One word of several; the first is the default.
fn choice(
    given: Option<TokenStream>,
    choices: &[(&str, &'static str)],
    message: Message,
) -> Result<&'static str> {
    let Some(given) = given else { return Ok(choices[0].1) };
    let word = text(&given);
    match choices.iter().find(|(known, _)| *known == word) {
        Some((_, meaning)) => Ok(meaning),
        None => Err(Error::new(message, place(&given, Span::call_site()))),
    }
}

fn panic_policy(
    given: TokenStream,
    pointer: &Pointer,
) -> Result<(&'static str, Option<TokenStream>)> {
    match text(&given).as_str() {
        "abort" => Ok(("Abort", None)),
        "propagate" => match pointer {
            Pointer::Written(function) if function.may_unwind() => Ok(("Propagate", None)),
            _ => {
                let span = place(&given, Span::call_site());
                Err(Error::new(Message::PropagateNeedsUnwind, span))
            }
        },
        _ => Ok(("Answer", Some(given))),
    }
}

/// `value`, or `wait(duration, value)`.
fn busy(given: TokenStream) -> Result<Busy> {
    let mut input = Cursor::opened(given.clone(), Span::call_site());
    let span = input.span();
    let list = if input.word("wait") { input.group(Delimiter::Parenthesis) } else { None };
    let Some(list) = list.filter(|_| input.is_empty()) else {
        return Ok(Busy { wait: None, answer: Some(given) });
    };
    let mut list = Cursor::new(list.stream(), list.span_open());
    let wait = list.until(|at| at.is_mark(0, ','));
    list.mark(',');
    let answer = list.until(|at| at.is_mark(0, ','));
    list.mark(',');
    if wait.is_empty() || answer.is_empty() || !list.is_empty() {
        return Err(Error::new(Message::BadWait, span));
    }
    Ok(Busy { wait: Some(expression(wait)), answer: Some(expression(answer)) })
}
