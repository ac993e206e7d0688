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

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, FnArg, Pat, PatIdent, PatWild};

/// What stands at the beginning of the future.
#[derive(Default)]
pub(crate) struct Prologue {
    captures: Vec<TokenStream>,
    bindings: Vec<TokenStream>,
}

impl Prologue {
    /// Of a function; patterns leave its signature.
    pub(crate) fn of_function<'a>(inputs: impl IntoIterator<Item = &'a mut FnArg>) -> Self {
        let mut prologue = Prologue::default();
        for (number, input) in inputs.into_iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) => {
                    let word = receiver.self_token;
                    prologue.capture(&conditions(&receiver.attrs), &quote!(#word));
                }
                FnArg::Typed(argument) => {
                    prologue.argument(number, &mut argument.pat, &mut argument.attrs);
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
        attributes: &mut Vec<Attribute>,
    ) {
        let conditions = conditions(attributes);
        let has_bindings = !self.bindings.is_empty();
        match pattern {
            Pat::Ident(it) if is_name(it) => {
                let name = it.ident.clone();
                self.capture(&conditions, &quote!(#name));
                if has_bindings || it.mutability.is_some() {
                    let mutable = it.mutability.take();
                    let attributes = std::mem::replace(attributes, conditions);
                    let quiet = quote!(#[allow(clippy::shadow_same)]);
                    let binding = quote!(let #mutable #name = #name;);
                    self.bindings.push(quote!(#(#attributes)* #quiet #binding));
                }
            }
            pattern => {
                let name = Ident::new(&format!("__argument{number}"), Span::mixed_site());
                self.capture(&conditions, &quote!(#name));
                if has_bindings {
                    self.bindings.push(quote!(#(#conditions)* let #name = #name;));
                }
                let bound = std::mem::replace(pattern, named(&name));
                let attributes = std::mem::replace(attributes, conditions);
                if !matches!(bound, Pat::Wild(PatWild { .. })) {
                    self.bindings.push(quote!(#(#attributes)* let #bound = #name;));
                }
            }
        }
    }

    fn capture(&mut self, conditions: &[Attribute], name: &TokenStream) {
        self.captures.push(quote!(#(#conditions)* let _ = &#name;));
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        let captures = self.captures.iter().rev();
        let bindings = &self.bindings;
        quote!(#(#captures)* #(#bindings)*)
    }
}

/// Whether the pattern is nothing but a name. One that begins with a capital may be that of a unit
/// struct, which binds nothing.
fn is_name(pattern: &PatIdent) -> bool {
    pattern.by_ref.is_none()
        && pattern.subpat.is_none()
        && !pattern.ident.to_string().trim_start_matches("r#").starts_with(char::is_uppercase)
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
