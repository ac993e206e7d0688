// SPDX-License-Identifier: MIT OR Apache-2.0

//! The call of `ringback::__pool!`, token by token, so that the user's keep their places.

use super::declaration::Declaration;
use super::options::{Busy, Options};
use super::pointer::Pointer;
use crate::cursor::place;
use crate::output::{Output, call, located, word};
use crate::signature::Argument;
use proc_macro::{Ident, Literal, Span, TokenStream, TokenTree};

pub(super) fn emit(root: &TokenStream, declaration: Declaration, options: Options) -> TokenStream {
    let Declaration { attributes, visibility, name, pointer, slots } = declaration;
    let slots_span = place(&slots, name.span());

    let mut of_item = Output::new();
    of_item.tokens(attributes.of_item).part("vis", visibility).part("reuse", word(options.reuse));
    let mut body = Output::new();
    body.part("static", of_item.take())
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
        .part("count_calls", word(options.count_calls))
        .part("export", export(options.export));

    let conditions = attributes.conditions;
    let pool = call(root, entry, body.take());
    let some_slots = located(call(root, "__some_slots", TokenTree::from(name).into()), slots_span);
    [conditions.clone(), pool, conditions, some_slots].into_iter().collect()
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

/// `"on_message_" ""`
fn export(parts: Option<(String, String)>) -> TokenStream {
    let literals = parts.into_iter().flat_map(|(before, after)| [before, after]);
    literals.map(|part| TokenTree::from(Literal::string(&part))).collect()
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
