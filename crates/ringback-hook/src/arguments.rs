// SPDX-License-Identifier: MIT OR Apache-2.0

//! How the arguments get into the future, so that they live and drop as in a plain `async fn`.
//!
//! An argument that is a name is captured, and the body uses the captured value: it is not copied
//! once more, which is why a hook's future is half as large as that of the plain function. Values
//! that are captured are dropped in the order in which they are first mentioned; so the body begins
//! by mentioning every argument, last to first, also those that it does not use.
//!
//! A pattern becomes a `let`, and so does a name that is `mut` (the compiler would take an assignment
//! to a captured value for useless where only its destructor reads it). Variables are dropped before
//! all that is captured; so the arguments behind the first of them become variables too.

use crate::tokens::behind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, PatWild, Token, Type};

/// What stands at the beginning of the future.
#[derive(Default)]
pub(crate) struct Prologue {
    captures: Vec<TokenStream>,
    bindings: Vec<TokenStream>,
    mutable_receiver: bool,
}

impl Prologue {
    /// Of a function; patterns leave its signature.
    pub(crate) fn of_function<'a>(inputs: impl IntoIterator<Item = &'a mut FnArg>) -> Self {
        let mut prologue = Prologue::default();
        for (number, input) in inputs.into_iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) => {
                    let word = receiver.self_token;
                    prologue.mutable_receiver = receiver.mutability.is_some();
                    prologue.capture(&conditions(&receiver.attrs), &quote!(#word));
                }
                FnArg::Typed(argument) => {
                    let PatType { attrs, pat, ty, .. } = argument;
                    prologue.argument(number, pat, Some(ty), attrs);
                }
            }
        }
        prologue
    }

    /// One argument that has a pattern; a name stands in its place afterwards.
    pub(crate) fn argument(
        &mut self,
        number: usize,
        pattern: &mut Pat,
        ty: Option<&Type>,
        attributes: &mut Vec<Attribute>,
    ) {
        let conditions = conditions(attributes);
        let has_bindings = !self.bindings.is_empty();
        match pattern {
            Pat::Ident(it) if is_name(it, ty) => {
                let name = it.ident.clone();
                self.capture(&conditions, &quote!(#name));
                if has_bindings || it.mutability.is_some() {
                    let mutable = it.mutability.take();
                    let attributes = std::mem::replace(attributes, conditions);
                    let quiet = quote!(#[allow(clippy::shadow_same)]);
                    let place = behind(&name);
                    let binding = quote_spanned!(place=> let #mutable #name = #name;);
                    self.bindings.push(quote!(#(#attributes)* #quiet #binding));
                }
            }
            pattern => {
                let name = Ident::new(&format!("__argument{number}"), Span::mixed_site());
                self.capture(&conditions, &quote!(#name));
                let bound = std::mem::replace(pattern, named(&name));
                // What `ref mut` borrows must be mutable, unless it is a reference.
                let mutable = borrows_mutably(bound.to_token_stream()).then(|| quote!(mut));
                if has_bindings || mutable.is_some() {
                    let quiet = mutable.as_ref().map(|_| quote!(#[allow(unused_mut)]));
                    let binding = quote!(let #mutable #name = #name;);
                    self.bindings.push(quote!(#(#conditions)* #quiet #binding));
                }
                let attributes = std::mem::replace(attributes, conditions);
                if !matches!(bound, Pat::Wild(PatWild { .. })) {
                    let place = behind(&bound);
                    let value = quote_spanned!(place=> = #name;);
                    let word = Token![let](Span::call_site().located_at(bound.span()));
                    let binding = quote!(#word #bound #value);
                    self.bindings.push(quote!(#(#attributes)* #binding));
                }
            }
        }
    }

    fn capture(&mut self, conditions: &[Attribute], name: &TokenStream) {
        self.captures.push(quote!(#(#conditions)* let _ = &#name;));
    }

    /// For the body: `mut self` cannot become a variable, so the compiler would take an assignment that
    /// only its destructor reads for useless.
    pub(crate) fn quiet(&self) -> Option<TokenStream> {
        self.mutable_receiver.then(|| quote!(#[allow(unused_assignments)]))
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        let captures = self.captures.iter().rev();
        let bindings = &self.bindings;
        quote!(#(#captures)* #(#bindings)*)
    }
}

/// Whether the pattern is nothing but a name. One that begins with a capital, or is called as its type
/// is, may be that of a unit struct, which binds nothing.
fn is_name(pattern: &PatIdent, ty: Option<&Type>) -> bool {
    pattern.by_ref.is_none()
        && pattern.subpat.is_none()
        && !pattern.ident.to_string().trim_start_matches("r#").starts_with(char::is_uppercase)
        && ty.and_then(type_name) != Some(&pattern.ident)
}

/// `Name` of `&path::Name`
fn type_name(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Group(group) => type_name(&group.elem),
        Type::Paren(paren) => type_name(&paren.elem),
        Type::Reference(reference) => type_name(&reference.elem),
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// Whether `ref mut` stands in a pattern.
fn borrows_mutably(pattern: TokenStream) -> bool {
    let mut is_ref = false;
    pattern.into_iter().any(|token| {
        let word = matches!(&token, TokenTree::Ident(word) if word == "ref");
        let after_ref = std::mem::replace(&mut is_ref, word);
        match token {
            TokenTree::Ident(word) => after_ref && word == "mut",
            TokenTree::Group(group) => borrows_mutably(group.stream()),
            _ => false,
        }
    })
}

/// Those attributes that decide whether there is an argument at all.
fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    let decides = |it: &&Attribute| it.path().is_ident("cfg") || it.path().is_ident("cfg_attr");
    attributes.iter().filter(decides).cloned().collect()
}

fn named(name: &Ident) -> Pat {
    Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: name.clone(),
        subpat: None,
    })
}
