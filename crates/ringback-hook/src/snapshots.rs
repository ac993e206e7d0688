// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the macros expand to, as a person would read it: `tests/expansions` has one file per case, the
//! hook above the line, its expansion below.
//!
//! After a change that is meant: `EXPANSIONS=overwrite cargo test -p ringback-hook`, and read the
//! difference.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fs;
use std::path::Path;

/// How many there are, so that none is lost.
const FILES: usize = 19;

const LINE: &str = "\n// ---- becomes ----\n\n";

#[test]
fn expansions_are_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions");
    let overwrite = std::env::var_os("EXPANSIONS").is_some_and(|it| it == "overwrite");
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("it can be read");
        let (source, expected) = text.split_once(LINE).unwrap_or((&text, ""));
        let expanded = expand(source.parse().expect("the source has tokens"));
        if overwrite {
            let text = format!("{}\n{LINE}{expanded}", source.trim_end());
            fs::write(&path, text).expect("it can be written");
        } else {
            assert_eq!(expected, expanded, "{}", path.display());
        }
        files += 1;
    }
    assert_eq!(files, FILES, "files in tests/expansions");
}

/// Items that may each begin with `#[hook]` or `#[hook(options)]`, or one `hook!(..)`.
fn expand(source: TokenStream) -> String {
    let tokens: Vec<TokenTree> = source.into_iter().collect();
    let [TokenTree::Ident(word), TokenTree::Punct(_), TokenTree::Group(closure)] = &tokens[..]
    else {
        let expanded = attribute(&tokens);
        let file = syn2::parse2(expanded).expect("the expansion is made of items");
        return prettyplease::unparse(&file);
    };
    assert_eq!(word, "hook");
    let closure = closure.stream();
    let closure = crate::closure::expand(quote::quote!([ringback] #closure)).expect("a closure");
    let file = syn2::parse_quote!(const HOOK: Handler = #closure;);
    prettyplease::unparse(&file)
}

/// `#[hook(options)] function`
fn attribute(tokens: &[TokenTree]) -> TokenStream {
    let [TokenTree::Punct(_), TokenTree::Group(attribute), item @ ..] = tokens else {
        panic!("it must begin with `#[hook]`");
    };
    let mut attribute = attribute.stream().into_iter();
    assert_eq!(attribute.next().map(|it| it.to_string()).as_deref(), Some("hook"));
    let options = attribute.next().and_then(|options| match options {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            Some(group.stream())
        }
        _ => None,
    });
    crate::emit::attribute(options.unwrap_or_default(), item.iter().cloned().collect())
}
