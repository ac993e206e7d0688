// SPDX-License-Identifier: MIT OR Apache-2.0

//! `#[..] pub static NAME: Pool<function type, slots>;`

use super::pointer::Pointer;
use crate::attributes::{Attributes, visibility};
use crate::cursor::{Cursor, expression, text};
use crate::errors::{Error, Message, Result};
use proc_macro::{Ident, TokenStream};

pub(super) struct Declaration {
    pub(super) attributes: Attributes,
    pub(super) visibility: TokenStream,
    pub(super) name: Ident,
    pub(super) pointer: Pointer,
    pub(super) slots: TokenStream,
}

impl Declaration {
    pub(super) fn parse(input: &mut Cursor) -> Result<Self> {
        input.open();
        let attributes = Attributes::parse(input, Message::ExpectedStatic, false)?;
        let visibility = visibility(input);
        if !input.word("static") {
            return input.error(Message::ExpectedStatic);
        }
        if input.is_word(0, "mut") {
            return input.error(Message::StaticMut);
        }
        let Some(name) = input.ident() else { return input.error(Message::ExpectedName) };
        if !input.mark(':') {
            return input.error(Message::ExpectedPoolType);
        }
        input.open();
        let span = input.span();
        if !(input.word("Pool") && input.mark('<')) {
            return Err(Error::new(Message::ExpectedPoolType, span));
        }
        let span = input.span();
        let pointer = input.until(|at| at.is_mark(0, ',') || at.is_mark(0, '>'));
        let pointer = Pointer::parse(pointer, span)?;
        if !input.mark(',') {
            return input.error(Message::ExpectedSlots);
        }
        let slots = slots(input)?;
        if !input.mark(';') {
            return input.error(Message::ExpectedSemicolon { after: "the pool's type" });
        }
        Ok(Declaration { attributes, visibility, name, pointer, slots })
    }
}

/// `100>`
fn slots(input: &mut Cursor) -> Result<TokenStream> {
    let span = input.span();
    let slots = input.until(|at| at.is_mark(0, ',') || at.is_mark(0, '>'));
    if slots.is_empty() {
        return Err(Error::new(Message::ExpectedSlots, span));
    }
    if matches!(text(&slots).as_str(), "0" | "0usize") {
        return Err(Error::new(Message::NoSlots, span));
    }
    input.mark(',');
    if !input.mark('>') {
        let compares = text(&slots).contains('<');
        let message = if compares { Message::ExpectedSlots } else { Message::UnclosedPool };
        return Err(Error::new(message, if compares { span } else { input.span() }));
    }
    Ok(expression(slots))
}
