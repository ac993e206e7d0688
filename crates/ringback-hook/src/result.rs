// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the future results in, as a type for the signature and as a hint for the body.

use crate::tokens::any_word;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

pub(crate) struct Output {
    /// For the signature.
    pub(crate) ty: TokenStream,
    /// For a variable: with `_` for every `impl Trait`.
    pub(crate) hint: TokenStream,
    kind: Kind,
}

/// How the body of `-> impl Fn(..)` learns the bounds, which give a closure the types of its arguments.
pub(crate) struct Expected {
    name: Ident,
    root: TokenStream,
}

enum Kind {
    /// `()`, `!`, or what a closure does not say.
    Inferred,
    Value,
}

impl Output {
    pub(crate) fn of(output: &ReturnType, root: &TokenStream) -> Self {
        let ReturnType::Type(_, ty) = output else {
            return Output { ty: quote!(()), hint: quote!(()), kind: Kind::Inferred };
        };
        match peeled(ty) {
            // `!` is unstable as a type, but not as what a function returns.
            Type::Never(never) => {
                let ty = quote!(<fn() -> #never as #root::__private::Returns>::Output);
                Output { hint: ty.clone(), ty, kind: Kind::Inferred }
            }
            ty => {
                let unit = matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty());
                let kind = if unit { Kind::Inferred } else { Kind::Value };
                let mut hint = ty.clone();
                forget_impl(&mut hint);
                Output { ty: quote!(#ty), hint: quote!(#hint), kind }
            }
        }
    }

    /// Of a closure that does not say.
    pub(crate) fn unknown() -> Self {
        Output { ty: quote!(_), hint: quote!(_), kind: Kind::Inferred }
    }

    /// Tells the compiler what `return` and `?` must return; never run. Errors refer to it, so it is
    /// said to stand where the result's type does.
    pub(crate) fn early(&self) -> TokenStream {
        if !matches!(self.kind, Kind::Value) {
            return TokenStream::new();
        }
        let hint = &self.hint;
        let place = Span::call_site().located_at(hint.span());
        quote_spanned! { place =>
            if let ::core::option::Option::Some(__result) = ::core::option::Option::None::<#hint> {
                return __result;
            }
        }
    }

    /// For `-> impl Fn(..)`. None where a type parameter does not stand in the arguments: nobody knows
    /// how long that lives, and the future would have to outlive it.
    pub(crate) fn expected(&self, signature: &Signature, root: &TokenStream) -> Option<Expected> {
        const FUNCTIONS: [&str; 6] =
            ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];
        let is_function = |word: &str| FUNCTIONS.contains(&word);
        if !any_word(&self.ty, &|word| word == "impl") || !any_word(&self.ty, &is_function) {
            return None;
        }
        let inputs = signature.inputs.to_token_stream();
        let mut types = signature.generics.type_params();
        if types.any(|it| !any_word(&inputs, &|word| it.ident == word)) {
            return None;
        }
        Some(Expected { name: Ident::new("__expected", Span::mixed_site()), root: root.clone() })
    }

    /// For the variable of the result: it may never be, or have a type that clippy finds complex, and clippy
    /// says neither of the results of functions.
    pub(crate) fn quiet(&self) -> TokenStream {
        match self.kind {
            Kind::Value if self.hint.clone().into_iter().count() > 1 => {
                quote!(#[allow(clippy::diverging_sub_expression, clippy::type_complexity)])
            }
            _ => quote!(#[allow(clippy::diverging_sub_expression)]),
        }
    }

    /// For the future of a function: where the result is a future too, say a `JoinHandle`, clippy would
    /// miss an `.await`, which it does not in an `async fn`.
    pub(crate) fn quiet_future(&self) -> Option<TokenStream> {
        matches!(self.kind, Kind::Value).then(|| quote!(#[allow(clippy::async_yields_async)]))
    }
}

impl Expected {
    /// In front of the future; never returns.
    pub(crate) fn declared(&self) -> TokenStream {
        let Expected { name, root } = self;
        quote! {
            let #name = #root::__private::Expected::new();
            if let ::core::option::Option::Some(__result) = #name.future() {
                return __result;
            }
        }
    }

    /// Around the body. It may never end; and in an argument, its own braces look like too many.
    pub(crate) fn of(&self, body: &TokenStream) -> TokenStream {
        let name = &self.name;
        quote!({ #[allow(unreachable_code)] #name.is({ #[allow(unused_braces)] #body }) })
    }
}

fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        ty => ty,
    }
}

/// `impl Trait` as `_`, since it has no name in a body; `dyn Trait<Item = impl Other>` too.
fn forget_impl(ty: &mut Type) {
    match ty {
        Type::Array(array) => forget_impl(&mut array.elem),
        Type::Group(group) => forget_impl(&mut group.elem),
        Type::Paren(paren) => forget_impl(&mut paren.elem),
        Type::Ptr(pointer) => forget_impl(&mut pointer.elem),
        Type::Reference(reference) => forget_impl(&mut reference.elem),
        Type::Slice(slice) => forget_impl(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(forget_impl),
        Type::Path(path) => {
            let arguments =
                path.path.segments.iter_mut().filter_map(|it| match &mut it.arguments {
                    PathArguments::AngleBracketed(arguments) => Some(&mut arguments.args),
                    _ => None,
                });
            for argument in arguments.flatten() {
                if let GenericArgument::Type(ty) = argument {
                    forget_impl(ty);
                }
            }
        }
        ty if any_word(&quote!(#ty), &|word| word == "impl") => *ty = syn::parse_quote!(_),
        _ => {}
    }
}
