// SPDX-License-Identifier: MIT OR Apache-2.0

//! `hook!(async move |x: &i32| ..)`, and the attribute on such an expression.

use crate::arguments::Prologue;
use crate::emit::{boxed, future};
use crate::errors::Message;
use crate::options::Options;
use crate::result::Output;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Lifetime, Pat, Result, ReturnType, Token, Type};

/// `[path to ringback] options, closure`
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let read = |input: ParseStream| {
        let root;
        syn::bracketed!(root in input);
        let options = Options::before_closure(root.parse()?, input)?;
        closure(&options, input)
    };
    read.parse2(input)
}

/// `#[hook(options)] closure`
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, mistake) = Options::parse(options);
    let options = mistake.map_or_else(|| options.for_closure(), Err);
    let expand = |options| (|input: ParseStream| closure(&options, input)).parse2(item);
    options.and_then(expand).unwrap_or_else(syn::Error::into_compile_error)
}

/// Whether this is a closure rather than an item.
pub(crate) fn is_closure(item: &TokenStream) -> bool {
    for token in item.clone() {
        match token {
            TokenTree::Ident(word) if word == "async" || word == "move" => {}
            TokenTree::Punct(mark) if mark.as_char() == '#' => {}
            TokenTree::Group(_) => {}
            TokenTree::Punct(mark) => return mark.as_char() == '|',
            _ => return false,
        }
    }
    false
}

fn closure(options: &Options, input: ParseStream) -> Result<TokenStream> {
    let root = &options.root;
    let attributes = outer_attributes(input)?;
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        return Err(Message::ClosureNotAsync.at(input.span()));
    }
    if input.parse::<Token![async]>().is_err() {
        return Err(Message::NotAClosure.at(input.span()));
    }
    input.parse::<Option<Token![move]>>()?;
    let (arguments, prologue, end) = arguments(input)?;
    let declared = input.call(ReturnType::without_plus);
    let declared = declared.map_err(|error| Message::Unreadable.at(error.span()))?;
    let output = match &declared {
        ReturnType::Default => Output::unknown(),
        declared => Output::of(declared, root),
    };
    let body = body(input, end)?;
    // Said in full, so that the closure has this type also where nothing is expected of it.
    let inferred = Lifetime::new("'_", Span::call_site());
    let boxed = boxed(options, &output.ty, Some(&inferred), Span::call_site());
    let future = future(&output, prologue, body);
    Ok(quote! {
        #(#attributes)* move |#(#arguments),*| -> #boxed { #root::__private::Box::pin(#future) }
    })
}

fn outer_attributes(input: ParseStream) -> Result<Vec<Attribute>> {
    let attributes = Attribute::parse_outer(input);
    attributes.map_err(|error| Message::NotAnAttribute.at(error.span()))
}

/// `|pattern: Type, ..|`, and where it ends.
fn arguments(input: ParseStream) -> Result<(Vec<TokenStream>, Prologue, Span)> {
    let (mut arguments, mut prologue) = (Vec::new(), Prologue::default());
    if let Some(none) = input.parse::<Option<Token![||]>>()? {
        return Ok((arguments, prologue, none.spans[1]));
    }
    input.parse::<Token![|]>().map_err(|_| Message::NotAClosure.at(input.span()))?;
    while !input.peek(Token![|]) {
        let argument = argument(input, arguments.len(), &mut prologue);
        arguments.push(argument.map_err(|error| Message::Unreadable.at(error.span()))?);
    }
    let end = input.parse::<Token![|]>()?.span;
    Ok((arguments, prologue, end))
}

fn argument(input: ParseStream, number: usize, prologue: &mut Prologue) -> Result<TokenStream> {
    let mut attributes = Attribute::parse_outer(input)?;
    let mut pattern = Pat::parse_single(input)?;
    let colon = input.parse::<Option<Token![:]>>()?;
    let ty = colon.map(|_| input.parse::<Type>()).transpose()?;
    if !input.peek(Token![|]) {
        input.parse::<Token![,]>()?;
    }
    prologue.argument(number, &mut pattern, ty.as_ref(), &mut attributes);
    Ok(quote!(#(#attributes)* #pattern #colon #ty))
}

/// All that is left, as it is, in braces.
fn body(input: ParseStream, before: Span) -> Result<TokenStream> {
    let mut tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(mark)) if mark.as_char() == ',') {
        tokens.pop();
    }
    if tokens.is_empty() {
        return Err(Message::NoBody.at(before));
    }
    let braced =
        matches!(&tokens[..], [TokenTree::Group(it)] if it.delimiter() == Delimiter::Brace);
    Ok(if braced { quote!(#(#tokens)*) } else { quote!({ #(#tokens)* }) })
}
