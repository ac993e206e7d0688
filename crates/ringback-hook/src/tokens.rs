// SPDX-License-Identifier: MIT OR Apache-2.0

//! Questions to tokens.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;

/// Whether such a word stands somewhere.
pub(crate) fn any_word(tokens: &TokenStream, is: &dyn Fn(&str) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => is(&word.to_string()),
        TokenTree::Group(group) => any_word(&group.stream(), is),
        _ => false,
    })
}

/// For tokens of ours to which the compiler may add something in its help: at the end of what the user
/// wrote, or it would be added to the attribute.
pub(crate) fn behind(written: &impl ToTokens) -> Span {
    let last = written.to_token_stream().into_iter().last();
    Span::call_site().located_at(last.map_or_else(Span::call_site, |token| token.span()))
}
