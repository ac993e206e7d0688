// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a function becomes.

use crate::arguments::Prologue;
use crate::errors::Message;
use crate::function::Function;
use crate::lifetimes;
use crate::options::Options;
use crate::result::{Expected, Output};
use crate::tokens::behind;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{Expr, FnArg, Lifetime, Meta, ReturnType, Signature, Token};

/// Where the future is put.
enum Form<'o> {
    Boxed,
    /// In a slot that the caller lends; the function has this name.
    Slot(Ident),
    /// In the value that is returned.
    Stack(&'o Expr),
}

/// `#[hook(options)] item`
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    // After a mistake the item stays, with all that is right, so that what uses it is not wrong as well.
    let (options, mistake) = Options::parse(options);
    let mistake = mistake.map(syn::Error::into_compile_error);
    match Function::parse(item.clone()) {
        Ok(function) => {
            let unfit = [two_statics(&options, &function), instrument_below(&options, &function)];
            let unfit = unfit.into_iter().flatten().map(syn::Error::into_compile_error);
            let unfit = quote!(#(#unfit)*);
            let expanded = forms(&options, function);
            quote!(#mistake #unfit #expanded)
        }
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#error #item)
        }
    }
}

/// Both functions of a slot would have one.
fn two_statics(options: &Options, function: &Function) -> Option<syn::Error> {
    options.slot.as_ref()?;
    let found = find_static(function.body.as_ref()?.stream())?;
    Some(Message::SlotWithStatic.at(found))
}

/// `#[instrument]` knows a boxed future when it sees one, and takes any other function for a plain one.
fn instrument_below(options: &Options, function: &Function) -> Option<syn::Error> {
    let form = match options {
        Options { slot: Some(_), .. } => "slot",
        Options { stack: Some(_), .. } => "stack",
        _ => return None,
    };
    let found = function.attributes.iter().find_map(|it| find_instrument(&it.meta))?;
    Some(Message::InstrumentBelow(form).at(found))
}

fn forms(options: &Options, mut function: Function) -> TokenStream {
    function.signature.asyncness = None;
    let first = options.stack.as_ref().map_or(Form::Boxed, |stack| Form::Stack(&stack.bytes));
    let first = form(options, &function, &first);
    let Some(slot) = &options.slot else { return first };
    let name = &function.signature.ident;
    let name = slot.name.clone().unwrap_or_else(|| format_ident!("{name}_slot"));
    let second = form(options, &function, &Form::Slot(name));
    quote!(#first #second)
}

fn form(options: &Options, function: &Function, form: &Form<'_>) -> TokenStream {
    let Function { attributes, visibility, defaultness, signature, body } = function;
    let root = &options.root;
    let mut signature = signature.clone();
    let mut life = lifetimes::settle(&mut signature);
    let output = Output::of(&signature.output, root);
    let prologue = body.as_ref().map(|_| Prologue::of_function(&mut signature.inputs));
    let slot = Ident::new("__slot", Span::mixed_site());
    if let Form::Slot(name) = form {
        signature.ident = name.clone();
        let life = life.get_or_insert_with(|| lifetimes::declare_fresh(&mut signature));
        let place = usize::from(matches!(signature.inputs.first(), Some(FnArg::Receiver(_))));
        let slot: FnArg = syn::parse_quote!(#slot: &#life mut #root::FutureSlot);
        signature.inputs.insert(place, slot);
    }
    let place = place_of_result(&signature);
    let returned = returned(options, form, &output, life.as_ref(), place);
    signature.output = syn::parse_quote_spanned!(place=> -> #returned);
    let allow = quiet(options, &signature);
    let head = quote!(#(#attributes)* #allow #visibility #defaultness #signature);
    let (Some(body), Some(prologue)) = (body, prologue) else { return quote!(#head;) };
    let expected = output.expected(&function.signature, root);
    let body = body.to_token_stream();
    let body = expected.as_ref().map_or(body.clone(), |expected| expected.of(&body));
    let expected = expected.as_ref().map(Expected::declared);
    let future = future(&output, prologue, body);
    let placed = match form {
        Form::Boxed => quote!(#root::__private::Box::pin(#future)),
        Form::Slot(_) if options.send => quote!(#slot.put(#future)),
        Form::Slot(_) => quote!(#slot.put_local(#future)),
        Form::Stack(_) if options.send => quote!(#root::StackFuture::new(#future)),
        Form::Stack(_) => quote!(#root::LocalStackFuture::new(#future)),
    };
    let quiet = output.quiet_future();
    quote!(#head { #expected #quiet #placed })
}

/// `async move { .. }` around a body.
pub(crate) fn future(output: &Output, prologue: Prologue, body: TokenStream) -> TokenStream {
    let (early, of_type, hint) = (output.early(), output.quiet(), &output.hint);
    let quiet = prologue.quiet();
    let prologue = prologue.into_tokens();
    // The result is a variable so that what the body's last expression holds is dropped before the
    // arguments, and so that its type is known.
    quote! {
        async move {
            #early
            #prologue
            #of_type #quiet
            let __result: #hint = #body;
            #[allow(unreachable_code)]
            __result
        }
    }
}

fn returned(
    options: &Options,
    form: &Form<'_>,
    output: &Output,
    life: Option<&Lifetime>,
    place: Span,
) -> TokenStream {
    let (root, ty) = (&options.root, &output.ty);
    let unnamed = Lifetime::new("'static", Span::call_site());
    let named = life.unwrap_or(&unnamed);
    let name = match form {
        Form::Boxed => return boxed(options, ty, life, place),
        Form::Slot(_) if options.send => quote!(SlotFuture),
        Form::Slot(_) => quote!(LocalSlotFuture),
        Form::Stack(_) if options.send => quote!(StackFuture),
        Form::Stack(_) => quote!(LocalStackFuture),
    };
    let bytes = if let Form::Stack(bytes) = form { Some(quote!(, { #bytes })) } else { None };
    quote_spanned!(place=> #root::#name<#named, #ty #bytes>)
}

pub(crate) fn boxed(
    options: &Options,
    ty: &TokenStream,
    life: Option<&Lifetime>,
    place: Span,
) -> TokenStream {
    let root = &options.root;
    let send = options.send.then(|| quote_spanned!(place=> + ::core::marker::Send));
    let sync = options.sync.then(|| quote_spanned!(place=> + ::core::marker::Sync));
    let life = life.map(|life| quote_spanned!(place=> + #life));
    let future = quote_spanned!(place=> dyn ::core::future::Future<Output = #ty> #send #sync #life);
    quote_spanned!(place=> ::core::pin::Pin<#root::__private::Box<#future>>)
}

/// Where what is returned is said: at the result, or behind the arguments.
fn place_of_result(signature: &Signature) -> Span {
    match &signature.output {
        ReturnType::Type(_, ty) => behind(ty),
        ReturnType::Default => Span::call_site().located_at(signature.paren_token.span.close()),
    }
}

/// A function with an ABI of its own is called from Rust only, as what it returns is Rust's. Of the two
/// of a slot, many programs call one only.
fn quiet(options: &Options, signature: &Signature) -> TokenStream {
    let abi = signature.abi.as_ref().map(|_| quote!(#[allow(improper_ctypes_definitions)]));
    let one_of_two = options.slot.as_ref().map(|_| quote!(#[allow(dead_code)]));
    quote!(#abi #one_of_two)
}

/// `instrument`, `path::instrument(..)`, also behind the condition of a `cfg_attr`.
fn find_instrument(meta: &Meta) -> Option<Span> {
    if let (true, Meta::List(list)) = (meta.path().is_ident("cfg_attr"), meta) {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
        return list.parse_args_with(metas).ok()?.iter().skip(1).find_map(find_instrument);
    }
    let last = &meta.path().segments.last()?.ident;
    (last == "instrument").then(|| last.span())
}

/// The first word `static`, other than in `'static`.
fn find_static(tokens: TokenStream) -> Option<Span> {
    let mut after_quote = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(word) if word == "static" && !after_quote => return Some(word.span()),
            TokenTree::Group(group) => {
                if let Some(found) = find_static(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
        after_quote = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '\'');
    }
    None
}
