// SPDX-License-Identifier: MIT OR Apache-2.0

//! `callback_type!`: from the declaration to the parts that `ringback::__callback!` takes.
//!
//! ```text
//! declaration  #[..] pub struct NAME: [async] fn(..) -> ..
//! emit         ringback::__callback! { .. }, or ringback::__async_callback! { .. }
//! ```

mod declaration;

use self::declaration::Declaration;
use crate::cursor::Cursor;
use crate::errors::Result;
use crate::output::{Output, call};
use crate::signature::Argument;
use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

/// `[path to ringback] declaration`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let mut input = Cursor::new(input, Span::call_site());
    let root = input.group(Delimiter::Bracket).map(|group| group.stream()).unwrap_or_default();
    Ok(emit(&root, Declaration::parse(&mut input)?))
}

fn emit(root: &TokenStream, declaration: Declaration) -> TokenStream {
    let Declaration { attributes, visibility, name, is_async, lifetimes, arguments, output } =
        declaration;
    let mut body = Output::new();
    body.part("item", attributes.of_item).part("shared", attributes.shared);
    body.part("vis", visibility).tokens([name.clone().into()]);
    if is_async {
        let done = Ident::new(&format!("{name}Done"), name.span());
        body.part("done", TokenTree::Ident(done).into());
    } else {
        body.part("lifetimes", lifetimes);
    }
    body.part("arguments", named(arguments)).part("output", output.unwrap_or_default());
    let entry = if is_async { "__async_callback" } else { "__callback" };
    [attributes.conditions, call(root, entry, body.take())].into_iter().collect()
}

/// `name inner: Type;` for each. The second name is for functions that the user does not see: there,
/// the user's could meet a static or a constant.
fn named(arguments: Vec<Argument>) -> TokenStream {
    let mut part = Output::new();
    for (i, Argument { name, ty, .. }) in arguments.into_iter().enumerate() {
        let inner = Ident::new(&format!("argument{i}"), Span::mixed_site());
        let name = name.unwrap_or_else(|| inner.clone());
        part.tokens([name.into(), inner.into()]).text(":").tokens(ty).text(";");
    }
    part.take()
}
