// SPDX-License-Identifier: MIT OR Apache-2.0

//! The parsers behind `ringback::callback_pool!` and `ringback::callback_type!`.
//!
//! They turn a declaration into its parts, with every error at the token that is wrong, and hand
//! them to `ringback::__pool!` and `ringback::__callback!`, where the text of the expansion stands.
//! They use no parser library, so that they cost their users no build time.

mod attributes;
mod callback;
mod cursor;
mod errors;
mod output;
mod pool;
mod signature;

use proc_macro::TokenStream;

/// `[path to ringback] declaration`.
#[doc(hidden)]
#[proc_macro]
pub fn parse_pool(input: TokenStream) -> TokenStream {
    pool::expand(input).unwrap_or_else(errors::Error::into_tokens)
}

/// `[path to ringback] declaration`.
#[doc(hidden)]
#[proc_macro]
pub fn parse_callback(input: TokenStream) -> TokenStream {
    callback::expand(input).unwrap_or_else(errors::Error::into_tokens)
}
