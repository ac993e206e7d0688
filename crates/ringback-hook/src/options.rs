// SPDX-License-Identifier: MIT OR Apache-2.0

//! `?Send, Sync, crate = path, slot, stack = bytes`

use crate::errors::Message;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Path, Result, Token};

/// What the user asks for.
pub(crate) struct Options {
    /// `Send` unless `?Send`.
    pub(crate) send: bool,
    pub(crate) sync: bool,
    /// Where ringback is found.
    pub(crate) root: TokenStream,
    /// The reusing form as well, under this name if one is given.
    pub(crate) slot: Option<Slot>,
    /// The form that keeps the future in itself.
    pub(crate) stack: Option<Stack>,
}

pub(crate) struct Slot {
    pub(crate) name: Option<Ident>,
    span: Span,
}

pub(crate) struct Stack {
    pub(crate) bytes: Expr,
    span: Span,
}

impl Default for Options {
    fn default() -> Self {
        let root = quote!(::ringback);
        Options { send: true, sync: false, root, slot: None, stack: None }
    }
}

impl Options {
    /// The options of an attribute, and every mistake in them: those that are right count all the same.
    pub(crate) fn parse(tokens: TokenStream) -> (Self, Option<syn::Error>) {
        let mut options = Options::default();
        let mut mistakes = Vec::new();
        let read = |input: ParseStream| {
            let mut given = Vec::new();
            while !input.is_empty() {
                match options.option(input, &mut given) {
                    Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
                    Ok(()) => mistakes.push(unknown(input)),
                    Err(mistake) => mistakes.push(mistake),
                }
                skip_option(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        let end = read.parse2(tokens).err();
        mistakes.extend(end.into_iter().chain(options.mistake()));
        let all = mistakes.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        });
        (options, all)
    }

    /// What the reusing forms cannot be. With `Send` they are `Sync` whatever the future is.
    fn mistake(&self) -> Option<syn::Error> {
        match self {
            Options { send: false, sync: true, slot: Some(slot), .. } => {
                Some(Message::SyncLocal("slot").at(slot.span))
            }
            Options { send: false, sync: true, stack: Some(stack), .. } => {
                Some(Message::SyncLocal("stack = bytes").at(stack.span))
            }
            _ => None,
        }
    }

    /// The options in front of a closure, each with a comma behind it.
    pub(crate) fn before_closure(root: TokenStream, input: ParseStream) -> Result<Self> {
        let mut options = Options { root, ..Options::default() };
        let mut given = Vec::new();
        while is_option(input) {
            options.option(input, &mut given)?;
            input.parse::<Token![,]>().map_err(|_| Message::NotAClosure.at(input.span()))?;
        }
        options.for_closure()
    }

    /// Refuses what only functions have.
    pub(crate) fn for_closure(self) -> Result<Self> {
        match self {
            Options { slot: Some(slot), .. } => Err(Message::FunctionOption("slot").at(slot.span)),
            Options { stack: Some(stack), .. } => {
                Err(Message::FunctionOption("stack = bytes").at(stack.span))
            }
            options => Ok(options),
        }
    }

    fn option(&mut self, input: ParseStream, given: &mut Vec<String>) -> Result<()> {
        let span = input.span();
        let relaxed = input.parse::<Option<Token![?]>>()?.is_some();
        let Ok(name) = Ident::parse_any(input) else { return Err(unknown(input)) };
        let name = if relaxed { format!("?{name}") } else { name.to_string() };
        if given.contains(&name) {
            return Err(Message::RepeatedOption(name).at(span));
        }
        match name.as_str() {
            "?Send" => self.send = false,
            "Sync" => self.sync = true,
            "crate" => {
                let path = value(input, span, Path::parse_mod_style, Message::ExpectedCrate)?;
                self.root = path.into_token_stream();
            }
            "slot" if input.peek(Token![=]) => {
                let name = value(input, span, Ident::parse_any, Message::ExpectedSlot)?;
                self.slot = Some(Slot { name: Some(name), span });
            }
            "slot" => self.slot = Some(Slot { name: None, span }),
            "stack" => {
                let bytes = value(input, span, |input| input.parse(), Message::ExpectedStack)?;
                self.stack = Some(Stack { bytes, span });
            }
            _ => return Err(Message::UnknownOption(name).at(span)),
        }
        given.push(name);
        Ok(())
    }
}

/// `= value` of the option at `name`.
fn value<T>(
    input: ParseStream,
    name: Span,
    read: impl FnOnce(ParseStream) -> Result<T>,
    otherwise: Message,
) -> Result<T> {
    let equals = input.parse::<Token![=]>();
    let nothing = input.is_empty() || input.peek(Token![,]);
    let place = if nothing { name } else { input.span() };
    equals.and_then(|_| read(input)).map_err(|_| otherwise.at(place))
}

/// Up to the next comma.
fn skip_option(input: ParseStream) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn unknown(input: ParseStream) -> syn::Error {
    let token = input.cursor().token_tree().map(|(token, _)| token.to_string());
    Message::UnknownOption(token.unwrap_or_default()).at(input.span())
}

/// Whether a word comes that an option begins with, and no closure.
fn is_option(input: ParseStream) -> bool {
    let word = input.peek(Ident::peek_any) && !input.peek(Token![async]);
    input.peek(Token![?]) || (word && (input.peek2(Token![,]) || input.peek2(Token![=])))
}
