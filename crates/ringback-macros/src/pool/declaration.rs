//! `#[..] pub static NAME: Pool<function type, slots>;`

use super::pointer::Pointer;
use crate::cursor::{Cursor, expression, text};
use crate::errors::{Error, Message, Result};
use proc_macro::{Delimiter, Group, Ident, TokenStream, TokenTree};

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
        let attributes = Attributes::parse(input)?;
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

fn visibility(input: &mut Cursor) -> TokenStream {
    input.open();
    let mut taken = Vec::new();
    if input.is_word(0, "pub") {
        taken.extend(input.next());
        taken.extend(input.group(Delimiter::Parenthesis).map(TokenTree::Group));
    }
    taken.into_iter().collect()
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

/// The attributes in front of a declaration, by where they belong in the expansion.
#[derive(Default)]
pub(super) struct Attributes {
    /// `cfg`: decides about all of it.
    pub(super) conditions: TokenStream,
    /// Documentation and whatever else there is: the static's. Lint levels too.
    pub(super) of_static: TokenStream,
    /// Lint levels and `doc(hidden)`: of everything else as well.
    pub(super) shared: TokenStream,
}

impl Attributes {
    fn parse(input: &mut Cursor) -> Result<Self> {
        let mut attributes = Attributes::default();
        while input.is_mark(0, '#') {
            let sign = input.next();
            let Some(group) = input.group(Delimiter::Bracket) else {
                return input.error(Message::ExpectedStatic);
            };
            let content = Cursor::opened(group.stream(), group.span_open()).rest();
            let tokens = |content: TokenStream| {
                let mut copy = Group::new(Delimiter::Bracket, content);
                copy.set_span(group.span());
                sign.clone().into_iter().chain([TokenTree::Group(copy)])
            };
            let name = content.clone().into_iter().next();
            match name.map(|name| name.to_string()).as_deref() {
                Some("cfg") => {
                    attributes.conditions.extend(tokens(content));
                    continue;
                }
                Some("allow" | "warn" | "deny" | "forbid") => {
                    attributes.shared.extend(tokens(content.clone()));
                }
                // What is expected of the static need not happen to the rest.
                Some("expect") => {
                    attributes.shared.extend(tokens(renamed(content.clone(), "allow")))
                }
                Some("doc") if content.to_string().replace(' ', "") == "doc(hidden)" => {
                    attributes.shared.extend(tokens(content.clone()));
                }
                _ => {}
            }
            attributes.of_static.extend(tokens(content));
        }
        Ok(attributes)
    }
}

/// `expect(..)` as `allow(..)`.
fn renamed(content: TokenStream, name: &str) -> TokenStream {
    let mut content = content.into_iter();
    let first = content.next().map(|first| TokenTree::Ident(Ident::new(name, first.span())));
    first.into_iter().chain(content).collect()
}
