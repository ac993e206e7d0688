//! The names that a signature declares, and one that it does not.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericParam, Signature, Type};

/// An elided lifetime that no reference stands around.
pub(super) const ELIDED: &str = "'_";

pub(super) struct Names {
    /// The lifetimes that the function declares.
    pub(super) lifetimes: Vec<String>,
    /// Its type parameters, and `Self`.
    types: Vec<String>,
    /// A lifetime that stands nowhere in the signature.
    pub(super) fresh: String,
    signature: TokenStream,
}

impl Names {
    pub(super) fn of(signature: &Signature) -> Self {
        let tokens = signature.to_token_stream();
        let mut names = Names {
            lifetimes: Vec::new(),
            types: vec!["Self".to_owned()],
            fresh: fresh(&tokens, "hook"),
            signature: tokens,
        };
        for parameter in &signature.generics.params {
            match parameter {
                GenericParam::Lifetime(it) => names.lifetimes.push(it.lifetime.to_string()),
                GenericParam::Type(it) => names.types.push(it.ident.to_string()),
                GenericParam::Const(_) => {}
            }
        }
        names
    }

    /// The nth other one.
    pub(super) fn another(&self, number: usize) -> String {
        fresh(&self.signature, &format!("hook_impl{number}"))
    }

    pub(super) fn is_type(&self, word: &str) -> bool {
        self.types.iter().any(|name| name == word)
    }

    /// Whether a type parameter stands somewhere in a type.
    pub(super) fn mentions_type(&self, ty: &Type) -> bool {
        any_word(&ty.to_token_stream(), &|word| self.is_type(word))
    }
}

/// `'stem`, or `'stem1` and so on where that is taken.
fn fresh(tokens: &TokenStream, stem: &str) -> String {
    let taken = |name: &str| any_word(tokens, &|word| word == name);
    let mut name = stem.to_owned();
    let mut number = 0;
    while taken(&name) {
        number += 1;
        name = format!("{stem}{number}");
    }
    format!("'{name}")
}

fn any_word(tokens: &TokenStream, is: &dyn Fn(&str) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => is(&word.to_string()),
        TokenTree::Group(group) => any_word(&group.stream(), is),
        _ => false,
    })
}
