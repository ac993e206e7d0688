// SPDX-License-Identifier: MIT OR Apache-2.0

//! A macro's own function in a plain test: with breakpoints, coverage and snapshots.

use proc_macro2::TokenStream;

/// Runs `function` on `input` in this very process and lays the output out: what
/// [`expand!`](crate::expand) stands for.
///
/// # Panics
/// If `input` is no token stream, and as `function` does.
pub fn run(function: impl FnOnce(TokenStream) -> TokenStream, input: &str) -> String {
    lay_out(function(read(input)))
}

/// The same for an attribute.
///
/// # Panics
/// As [`run`].
pub fn run_attribute(
    function: impl FnOnce(TokenStream, TokenStream) -> TokenStream,
    attribute: &str,
    item: &str,
) -> String {
    lay_out(function(read(attribute), read(item)))
}

fn read(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("not a token stream: {error}: {text}"))
}

fn lay_out(output: TokenStream) -> String {
    let file = syn::parse2(output.clone());
    file.map_or_else(|_| output.to_string(), |file| prettyplease::unparse(&file))
}

/// Expands tokens by a macro's own function over `proc_macro2`, in the test's own process.
///
/// ```
/// use proc_macro2::TokenStream;
/// fn twice(input: TokenStream) -> TokenStream {
///     [input.clone(), input].into_iter().collect()
/// }
/// let text = macrobox::expand!(twice, struct Unit;);
/// assert_eq!(text, "struct Unit;\nstruct Unit;\n");
///
/// fn public(_: TokenStream, item: TokenStream) -> TokenStream {
///     let public: TokenStream = "pub".parse().unwrap();
///     [public, item].into_iter().collect()
/// }
/// assert_eq!(macrobox::expand!(public, #[anything] struct Unit;), "pub struct Unit;\n");
/// ```
#[macro_export]
macro_rules! expand {
    ($function:path, #[$($attribute:tt)*] $($item:tt)*) => {
        $crate::testing::run_attribute($function, stringify!($($attribute)*), stringify!($($item)*))
    };
    ($function:path, $($input:tt)*) => {
        $crate::testing::run($function, stringify!($($input)*))
    };
}
