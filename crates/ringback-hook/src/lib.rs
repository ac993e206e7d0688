// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macros behind `ringback::hook`: async functions and closures that a library can store.
//!
//! ```text
//! #[hook(options) ] async fn | function -> lifetimes -> arguments, result -> emit
//! hook!(async move |..| ..)  | closure  ->              arguments, result
//! ```
//! The signature is parsed, since its lifetimes must be named. The body never is: it passes through
//! as the tokens it came as, so it may use any syntax of the installed compiler.

mod arguments;
mod closure;
mod emit;
mod errors;
mod function;
mod lifetimes;
mod options;
mod result;
#[cfg(test)]
mod snapshots;
mod tokens;

use proc_macro::TokenStream;

/// See `ringback::hook`.
#[proc_macro_attribute]
pub fn hook(options: TokenStream, item: TokenStream) -> TokenStream {
    let (options, item) = (options.into(), item.into());
    let attribute = if closure::is_closure(&item) { closure::attribute } else { emit::attribute };
    attribute(options, item).into()
}

/// `[path to ringback] options, async move |..| ..`; see `ringback::hook::hook!`.
#[doc(hidden)]
#[proc_macro]
pub fn hook_closure(input: TokenStream) -> TokenStream {
    closure::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
