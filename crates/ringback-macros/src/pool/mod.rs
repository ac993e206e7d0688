// SPDX-License-Identifier: MIT OR Apache-2.0

//! `callback_pool!`: from the declaration to the parts that `ringback::__pool!` takes.
//!
//! ```text
//! declaration  #[..] pub static NAME: Pool<   ..   , 100>;
//! pointer                                  unsafe extern "C" fn(..) -> ..
//! options      fallback = -1; ..
//! emit         ringback::__pool! { .. }
//! ```

mod declaration;
mod emit;
mod options;
mod pointer;

use crate::cursor::Cursor;
use crate::errors::Result;
use proc_macro::{Delimiter, Span, TokenStream};

/// `[path to ringback] declaration options`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let mut input = Cursor::new(input, Span::call_site());
    let root = input.group(Delimiter::Bracket).map(|group| group.stream()).unwrap_or_default();
    let declaration = declaration::Declaration::parse(&mut input)?;
    let options = options::Options::parse(&mut input, &declaration.pointer)?;
    Ok(emit::emit(&root, declaration, options))
}
