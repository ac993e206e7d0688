//! The parser behind `ringback::callback_pool!`.
//!
//! It turns a declaration into its parts, with every error at the token that is wrong, and hands
//! them to `ringback::__pool!`, where the text of the expansion stands. It uses no parser library,
//! so that a pool costs its users no build time.

mod cursor;
mod errors;
mod pool;

use proc_macro::TokenStream;

/// `[path to ringback] declaration`.
#[doc(hidden)]
#[proc_macro]
pub fn parse_pool(input: TokenStream) -> TokenStream {
    pool::expand(input).unwrap_or_else(errors::Error::into_tokens)
}
