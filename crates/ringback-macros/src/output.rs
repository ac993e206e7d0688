// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writing tokens one after the other.

use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

pub(crate) struct Output(TokenStream);

impl Output {
    pub(crate) fn new() -> Self {
        Output(TokenStream::new())
    }

    pub(crate) fn tokens(&mut self, tokens: impl IntoIterator<Item = TokenTree>) -> &mut Self {
        self.0.extend(tokens);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.tokens(text.parse::<TokenStream>().unwrap_or_default())
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter, tokens: TokenStream) -> &mut Self {
        self.tokens([TokenTree::Group(Group::new(delimiter, tokens))])
    }

    /// `name [value]`
    pub(crate) fn part(&mut self, name: &str, value: TokenStream) -> &mut Self {
        self.text(name).group(Delimiter::Bracket, value)
    }

    pub(crate) fn take(&mut self) -> TokenStream {
        std::mem::take(&mut self.0)
    }
}

pub(crate) fn word(text: &str) -> TokenStream {
    Output::new().text(text).take()
}

/// `root::entry! { body }`
pub(crate) fn call(root: &TokenStream, entry: &str, body: TokenStream) -> TokenStream {
    let mut call = Output::new();
    call.tokens(root.clone()).text("::").text(entry).text("!").group(Delimiter::Brace, body);
    call.take()
}

/// The same tokens, said to stand at `span`.
pub(crate) fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span.resolved_at(token.span()));
        token
    };
    tokens.into_iter().map(at).collect()
}
