// SPDX-License-Identifier: MIT OR Apache-2.0

//! The pool's function type: written out, `for<'a> unsafe extern "C" fn(..) -> ..`, or by name.

use crate::cursor::{Cursor, text};
use crate::errors::{Message, Result};
use crate::signature::{Argument, arguments, is_function, lifetimes, output};
use proc_macro::{Delimiter, Literal, Span, TokenStream, TokenTree};

pub(super) enum Pointer {
    Written(Function),
    Named(TokenStream),
}

pub(super) struct Function {
    pub(super) lifetimes: TokenStream,
    pub(super) safety: Option<TokenTree>,
    pub(super) abi: Literal,
    pub(super) arguments: Vec<Argument>,
    pub(super) output: TokenStream,
    /// Where to point at when the output is wrong.
    pub(super) output_span: Span,
}

impl Pointer {
    pub(super) fn parse(tokens: TokenStream, before: Span) -> Result<Self> {
        let mut input = Cursor::opened(tokens.clone(), before);
        if input.is_empty() {
            return input.error(Message::ExpectedPoolType);
        }
        if !is_function(&input) {
            return Ok(Pointer::Named(tokens));
        }
        let lifetimes = lifetimes(&mut input)?;
        let safety = if input.is_word(0, "unsafe") { input.next() } else { None };
        let abi = abi(&mut input)?;
        if !input.word("fn") {
            return input.error(Message::RustAbi);
        }
        let Some(list) = input.group(Delimiter::Parenthesis) else {
            return input.error(Message::ExpectedArguments);
        };
        let arguments = arguments(&list, safety.is_none())?;
        let output_span = input.span();
        let output = output(&mut input)?;
        Ok(Pointer::Written(Function { lifetimes, safety, abi, arguments, output, output_span }))
    }
}

fn abi(input: &mut Cursor) -> Result<Literal> {
    if !input.word("extern") {
        return input.error(Message::RustAbi);
    }
    input.open();
    let Some(TokenTree::Literal(abi)) = input.peek(0).cloned() else {
        return Ok(Literal::string("C"));
    };
    match abi.to_string().as_str() {
        "\"C\"" | "\"system\"" | "\"C-unwind\"" | "\"system-unwind\"" => {
            input.next();
            Ok(abi)
        }
        "\"Rust\"" => input.error(Message::RustAbi),
        other => input.error(Message::UnsupportedAbi(other.to_owned())),
    }
}

impl Function {
    pub(super) fn returns_nothing(&self) -> bool {
        text(&self.output) == "()"
    }

    pub(super) fn may_unwind(&self) -> bool {
        self.abi.to_string().ends_with("-unwind\"")
    }
}
