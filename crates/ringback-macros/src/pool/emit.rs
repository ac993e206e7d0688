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
    let slots_span = place(&slots, name.span());

    let mut of_static = Output::new();
    of_static
        .tokens(attributes.of_static)
        .part("vis", visibility)
        .part("reuse", word(options.reuse));
    let mut body = Output::new();
    body.part("static", of_static.take())
        .part("shared", attributes.shared)
        .tokens([name.clone().into()]);

    let fallback = match (options.fallback, &pointer) {
        (None, Pointer::Named(alias)) => ask_the_type(root, alias),
        (given, _) => given.unwrap_or_default(),
    };
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
            let span = place(&alias, name.span());
            let is_pointer = located(call(root, "__is_pointer", alias.clone()), span);
            body.part("pointer", alias).part("is_pointer", is_pointer);
            "__pool_alias"
        }
    };

    let or_fallback = |value: Option<TokenStream>| value.unwrap_or_else(|| ask_the_pool(root));
    let (policy, on_panic) = options.on_panic;
    let mut panic = Output::new();
    panic.text(policy).tokens(or_fallback(on_panic));
    let Busy { wait, answer } = options.on_busy;
    let mut busy = Output::new();
    busy.tokens(wait.unwrap_or_else(|| word("::core::time::Duration::ZERO")));
    busy.text(",").tokens(or_fallback(answer));
    body.part("slots", slots)
        .part("fallback", fallback)
        .part("on_panic", panic.take())
        .part("on_busy", busy.take())
        .part("on_wrong_thread", or_fallback(options.on_wrong_thread))
        .part("always_counted", word(options.always_counted))
        .part("count_calls", word(options.count_calls));

    let conditions = attributes.conditions;
    let pool = call(root, entry, body.take());
    let some_slots = located(call(root, "__some_slots", TokenTree::from(name).into()), slots_span);
    [conditions.clone(), pool, conditions, some_slots].into_iter().collect()
}

fn word(text: &str) -> TokenStream {
    Output::new().text(text).take()
}

/// `root::entry! { body }`
fn call(root: &TokenStream, entry: &str, body: TokenStream) -> TokenStream {
    let mut call = Output::new();
    call.tokens(root.clone()).text("::").text(entry).text("!").group(Delimiter::Brace, body);
    call.take()
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

/// The fallback of an alias that gives none: `()` if that is what it returns, else an error at the
/// alias.
fn ask_the_type(root: &TokenStream, alias: &TokenStream) -> TokenStream {
    let mut answer = Output::new();
    answer.tokens(root.clone()).text("::__private::unit_answer()");
    located(answer.take(), place(alias, Span::call_site()))
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
