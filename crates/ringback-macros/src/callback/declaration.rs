// SPDX-License-Identifier: MIT OR Apache-2.0

//! `#[..] pub struct NAME: [async] fn(..) -> ..`

use crate::attributes::{Attributes, visibility};
use crate::cursor::{Cursor, text};
use crate::errors::{Error, Message, Result};
use crate::signature::{Argument, arguments, lifetimes, output};
use proc_macro::{Delimiter, Ident, TokenStream};

pub(super) struct Declaration {
    pub(super) attributes: Attributes,
    pub(super) visibility: TokenStream,
    pub(super) name: Ident,
    pub(super) is_async: bool,
    pub(super) lifetimes: TokenStream,
    pub(super) arguments: Vec<Argument>,
    /// `None`: nothing is returned.
    pub(super) output: Option<TokenStream>,
}

impl Declaration {
    pub(super) fn parse(input: &mut Cursor) -> Result<Self> {
        input.open();
        let attributes = Attributes::parse(input, Message::ExpectedStruct, true)?;
        let visibility = visibility(input);
        if !input.word("struct") {
            return input.error(Message::ExpectedStruct);
        }
        let Some(name) = input.ident() else { return input.error(Message::ExpectedStruct) };
        if input.is_mark(0, '<') {
            return input.error(Message::CallbackGenerics);
        }
        if !input.mark(':') {
            return input.error(Message::ExpectedCallback);
        }
        let span = input.span();
        let ty = input.until(|_| false);
        if input.mark(';') && !input.is_empty() {
            return input.error(Message::SecondCallback);
        }
        let mut ty = Cursor::opened(ty, span);
        let is_async = ty.word("async");
        let lifetimes = lifetimes(&mut ty)?;
        if ty.is_word(0, "unsafe") || ty.is_word(0, "extern") {
            return ty.error(Message::CallbackAbi);
        }
        if !ty.word("fn") {
            return ty.error(Message::ExpectedCallback);
        }
        let Some(list) = ty.group(Delimiter::Parenthesis) else {
            return ty.error(Message::ExpectedArguments);
        };
        let arguments = arguments(&list, false)?;
        let output = output(&mut ty)?;
        if is_async {
            arguments.iter().try_for_each(|argument| outlives_the_call(&argument.ty))?;
        }
        let output = (text(&output) != "()").then_some(output);
        Ok(Declaration { attributes, visibility, name, is_async, lifetimes, arguments, output })
    }
}

/// What an async callback is given is still there when the call has returned.
fn outlives_the_call(ty: &TokenStream) -> Result<()> {
    let mut input = Cursor::opened(ty.clone(), proc_macro::Span::call_site());
    while !input.is_empty() {
        let borrows = input.is_mark(0, '&') && !input.is_mark(1, '\'');
        if borrows || (input.is_mark(0, '\'') && !input.is_word(1, "static")) {
            return Err(Error::new(Message::AsyncBorrow, input.span()));
        }
        input.next();
    }
    Ok(())
}
