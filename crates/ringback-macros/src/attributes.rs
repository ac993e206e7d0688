// SPDX-License-Identifier: MIT OR Apache-2.0

//! What stands in front of a declaration: attributes and visibility.

use crate::cursor::Cursor;
use crate::errors::{Error, Message, Result};
use proc_macro::{Delimiter, Group, Ident, TokenStream, TokenTree};

pub(crate) fn visibility(input: &mut Cursor) -> TokenStream {
    input.open();
    let mut taken = Vec::new();
    if input.is_word(0, "pub") {
        taken.extend(input.next());
        taken.extend(input.group(Delimiter::Parenthesis).map(TokenTree::Group));
    }
    taken.into_iter().collect()
}

/// Attributes that change nothing about what an item is or can do.
const HARMLESS: [&str; 9] =
    ["doc", "cfg", "allow", "warn", "deny", "forbid", "expect", "deprecated", "must_use"];

/// The attributes in front of a declaration, by where they belong in the expansion.
#[derive(Default)]
pub(crate) struct Attributes {
    /// `cfg`: decides about all of it.
    pub(crate) conditions: TokenStream,
    /// Documentation and whatever else there is: the declared item's. Lint levels too.
    pub(crate) of_item: TokenStream,
    /// Lint levels and `doc(hidden)`: of everything else as well.
    pub(crate) shared: TokenStream,
}

impl Attributes {
    /// With `only_harmless`, others than [`HARMLESS`] are refused.
    pub(crate) fn parse(
        input: &mut Cursor,
        otherwise: Message,
        only_harmless: bool,
    ) -> Result<Self> {
        let mut attributes = Attributes::default();
        while input.is_mark(0, '#') {
            let sign = input.next();
            let Some(group) = input.group(Delimiter::Bracket) else {
                return input.error(otherwise);
            };
            let content = Cursor::opened(group.stream(), group.span_open()).rest();
            let tokens = |content: TokenStream| {
                let mut copy = Group::new(Delimiter::Bracket, content);
                copy.set_span(group.span());
                sign.clone().into_iter().chain([TokenTree::Group(copy)])
            };
            let name = content.clone().into_iter().next();
            if let Some(name) = &name
                && only_harmless
                && !HARMLESS.contains(&&*name.to_string())
            {
                return Err(Error::new(Message::CallbackAttribute, name.span()));
            }
            match name.map(|name| name.to_string()).as_deref() {
                Some("cfg") => {
                    attributes.conditions.extend(tokens(content));
                    continue;
                }
                Some("allow" | "warn" | "deny" | "forbid") => {
                    attributes.shared.extend(tokens(content.clone()));
                }
                // What is expected of the item need not happen to the rest.
                Some("expect") => {
                    attributes.shared.extend(tokens(renamed(content.clone(), "allow")))
                }
                Some("doc") if content.to_string().replace(' ', "") == "doc(hidden)" => {
                    attributes.shared.extend(tokens(content.clone()));
                }
                _ => {}
            }
            attributes.of_item.extend(tokens(content));
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
