// SPDX-License-Identifier: MIT OR Apache-2.0

//! What stands behind the attribute: a signature to be read, and a body that is not.

use crate::errors::Message;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{AttrStyle, Attribute, Result, Signature, Token, Visibility};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    /// None: a declaration in a trait.
    pub(crate) body: Option<Group>,
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Self> {
        let mut tokens: Vec<TokenTree> = item.into_iter().collect();
        let mut body = tokens.pop().and_then(body);
        let inner = body.as_mut().map(inner_attributes).transpose()?.unwrap_or_default();
        if let Some(mistake) = mistake(&tokens) {
            return Err(mistake);
        }
        let head = |input: ParseStream| {
            let mut attributes = Attribute::parse_outer(input)?;
            attributes.extend(inner);
            Ok(Function {
                attributes,
                visibility: input.parse()?,
                defaultness: input.parse()?,
                signature: input.parse()?,
                body,
            })
        };
        let head = head.parse2(tokens.into_iter().collect());
        head.map_err(|error| Message::Unreadable.at(error.span()))
    }
}

/// The braces, also where a `$body:block` put an invisible group around them.
fn body(last: TokenTree) -> Option<Group> {
    match last {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            body(group.stream().into_iter().next()?)
        }
        _ => None,
    }
}

/// Takes `#![..]` out of a body: on the function it means the same.
fn inner_attributes(body: &mut Group) -> Result<Vec<Attribute>> {
    let mut tokens = body.stream().into_iter();
    let starts_with = |mark: char, token: Option<TokenTree>| matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == mark);
    if !(starts_with('#', tokens.next()) && starts_with('!', tokens.next())) {
        return Ok(Vec::new());
    }
    let split = |input: ParseStream| {
        let mut attributes = Attribute::parse_inner(input)?;
        for attribute in &mut attributes {
            attribute.style = AttrStyle::Outer;
        }
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    let split = split.parse2(body.stream());
    let (attributes, rest) = split.map_err(|error| Message::NotAnAttribute.at(error.span()))?;
    let span = body.span();
    *body = Group::new(Delimiter::Brace, rest);
    body.set_span(span);
    Ok(attributes)
}

/// Whether this is no function, or not an async one: looked up word by word, so that it can be said
/// where it stands.
fn mistake(head: &[TokenTree]) -> Option<syn::Error> {
    let mut asynchronous = false;
    for token in head {
        match token {
            TokenTree::Ident(word) if word == "async" => asynchronous = true,
            TokenTree::Ident(word) if word == "fn" => {
                return (!asynchronous).then(|| Message::NotAsync.at(word.span()));
            }
            TokenTree::Ident(word) if is_item(&word.to_string()) => {
                return Some(Message::NotAFunction.at(word.span()));
            }
            _ => {}
        }
    }
    let span = head.first().map_or_else(proc_macro2::Span::call_site, TokenTree::span);
    Some(Message::NotAFunction.at(span))
}

fn is_item(word: &str) -> bool {
    const ITEMS: [&str; 11] = [
        "struct", "enum", "union", "trait", "impl", "mod", "type", "static", "use", "let", "macro",
    ];
    ITEMS.contains(&word)
}
