// SPDX-License-Identifier: MIT OR Apache-2.0

//! The names that a signature declares, and one that it does not.

use crate::tokens::any_word;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericParam, Lifetime, Signature, Type};

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
            fresh: fresh(&tokens, "__hook"),
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
        fresh(&self.signature, &format!("__hook_impl{number}"))
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

/// Whether a lifetime whose name, without the mark, is such a one stands somewhere.
pub(super) fn any_lifetime(tokens: TokenStream, is: &dyn Fn(&str) -> bool) -> bool {
    let mut marked = false;
    tokens.into_iter().any(|token| {
        let after_mark = std::mem::replace(&mut marked, is_mark(&token));
        match token {
            TokenTree::Ident(word) => after_mark && is(&word.to_string()),
            TokenTree::Group(group) => any_lifetime(group.stream(), is),
            _ => false,
        }
    })
}

/// With `life` for each `'_`.
pub(super) fn with_life(tokens: TokenStream, life: &Lifetime) -> TokenStream {
    let mut marked = false;
    let token = |token: TokenTree| {
        let after_mark = std::mem::replace(&mut marked, is_mark(&token));
        match token {
            TokenTree::Ident(word) if after_mark && word == "_" => life.ident.clone().into(),
            TokenTree::Group(group) => {
                Group::new(group.delimiter(), with_life(group.stream(), life)).into()
            }
            token => token,
        }
    };
    tokens.into_iter().map(token).collect()
}

fn is_mark(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == '\'')
}
