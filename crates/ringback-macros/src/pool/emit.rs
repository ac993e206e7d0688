//! The call of `ringback::__pool!`, token by token, so that the user's keep their places.

use super::declaration::Declaration;
use super::options::{Busy, Options};
use super::pointer::{Argument, Pointer};
use crate::cursor::place;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

struct Output(TokenStream);

impl Output {
    fn new() -> Self {
        Output(TokenStream::new())
    }

    fn tokens(&mut self, tokens: impl IntoIterator<Item = TokenTree>) -> &mut Self {
        self.0.extend(tokens);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.tokens(text.parse::<TokenStream>().unwrap_or_default())
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream) -> &mut Self {
        self.tokens([TokenTree::Group(Group::new(delimiter, tokens))])
    }

    /// `name [value]`
    fn part(&mut self, name: &str, value: TokenStream) -> &mut Self {
        self.text(name).group(Delimiter::Bracket, value)
    }

    fn take(&mut self) -> TokenStream {
        std::mem::take(&mut self.0)
    }
}

pub(super) fn emit(root: &TokenStream, declaration: Declaration, options: Options) -> TokenStream {
    let Declaration { attributes, visibility, name, pointer, slots } = declaration;
    let fallback = match (options.fallback, &pointer) {
        (None, Pointer::Named(alias)) => ask_the_type(root, alias),
        (given, _) => given.unwrap_or_default(),
    };
    let or_fallback = |value: Option<TokenStream>| value.unwrap_or_else(|| ask_the_pool(root));

    let mut body = Output::new();
    body.tokens(attributes.of_static)
        .part("shared", attributes.shared)
        .part("vis", visibility)
        .tokens([name.into()]);
    let entry = match pointer {
        Pointer::Written(function) => {
            body.part("safety", function.safety.into_iter().collect())
                .part("abi", TokenTree::Literal(function.abi).into())
                .part("lifetimes", function.lifetimes)
                .part("arguments", arguments(function.arguments))
                .part("output", function.output);
            "__pool"
        }
        Pointer::Named(alias) => {
            body.part("pointer", alias);
            "__pool_alias"
        }
    };
    let (policy, on_panic) = options.on_panic;
    let on_panic = Output::new().text(policy).tokens(or_fallback(on_panic)).take();
    let Busy { wait, answer } = options.on_busy;
    let mut on_busy = Output::new();
    match wait {
        Some(wait) => on_busy.tokens(wait),
        None => on_busy.text("::core::time::Duration::ZERO"),
    };
    on_busy.text(",").tokens(or_fallback(answer));

    body.part("slots", checked_slots(root, slots))
        .part("fallback", fallback)
        .part("on_panic", on_panic)
        .part("on_busy", on_busy.take())
        .part("on_wrong_thread", or_fallback(options.on_wrong_thread))
        .part("reuse", Output::new().text(options.reuse).take())
        .part("always_counted", Output::new().text(options.always_counted).take())
        .part("count_calls", Output::new().text(options.count_calls).take());

    Output::new()
        .tokens(attributes.conditions)
        .tokens(root.clone())
        .text("::")
        .text(entry)
        .text("!")
        .group(Delimiter::Brace, body.take())
        .take()
}

/// `argument0 name: Type, probe;` for each; `_` where there is no name, `function` in the place of
/// `probe` for function pointers. Only the pointer's type keeps the names that the user gave: as
/// parameters they could meet a static or a constant.
fn arguments(arguments: Vec<Argument>) -> TokenStream {
    let mut part = Output::new();
    for (i, Argument { name, ty, is_function }) in arguments.into_iter().enumerate() {
        part.tokens([Ident::new(&format!("argument{i}"), Span::mixed_site()).into()]);
        match name {
            Some(name) => part.tokens([name.into()]),
            None => part.text("_"),
        };
        part.text(":").tokens(ty).text(if is_function { ", function ;" } else { ", probe ;" });
    }
    part.take()
}

/// The number of slots, so that an error about its value stands where it is written.
fn checked_slots(root: &TokenStream, slots: TokenStream) -> TokenStream {
    let span = place(&slots, Span::call_site());
    let mut call = Output::new();
    call.tokens(root.clone()).text("::__slots!").group(Delimiter::Parenthesis, slots);
    located(call.take(), span)
}

/// The fallback of an alias that gives none: `()` if that is what it returns, else an error at the
/// alias.
fn ask_the_type(root: &TokenStream, alias: &TokenStream) -> TokenStream {
    let mut call = Output::new();
    call.tokens(root.clone()).text("::__private::unit_answer::<<<").tokens(alias.clone());
    call.text("as").tokens(root.clone()).text("::__private::FnPointer>::Shape as");
    call.tokens(root.clone()).text("::__private::Shape>::Output>()");
    located(call.take(), place(alias, Span::call_site()))
}

/// What an option answers that is not given.
fn ask_the_pool(root: &TokenStream) -> TokenStream {
    Output::new().text("<Self as").tokens(root.clone()).text("::Signature>::fallback()").take()
}

/// The same tokens, said to stand at `span`.
fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span.resolved_at(token.span()));
        token
    };
    tokens.into_iter().map(at).collect()
}
