//! What the future results in, as a type for the signature and as a hint for the body.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericArgument, PathArguments, ReturnType, Type};

pub(crate) struct Output {
    /// For the signature.
    pub(crate) ty: TokenStream,
    /// For a variable: with `_` for every `impl Trait`.
    pub(crate) hint: TokenStream,
    /// The body needs no hint.
    plain: bool,
}

impl Output {
    pub(crate) fn of(output: &ReturnType, root: &TokenStream) -> Self {
        let ReturnType::Type(_, ty) = output else {
            return Output { ty: quote!(()), hint: quote!(()), plain: true };
        };
        match peeled(ty) {
            // `!` is unstable as a type, but not as what a function returns.
            Type::Never(never) => {
                let ty = quote!(<fn() -> #never as #root::__private::Returns>::Output);
                Output { hint: ty.clone(), ty, plain: true }
            }
            ty => {
                let plain = matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty());
                let (mut written, mut hint) = (ty.clone(), ty.clone());
                each_impl(&mut written, &mut capture_all);
                each_impl(&mut hint, &mut |ty| *ty = syn::parse_quote!(_));
                Output { ty: quote!(#written), hint: quote!(#hint), plain }
            }
        }
    }

    /// Of a closure that does not say.
    pub(crate) fn unknown() -> Self {
        Output { ty: quote!(_), hint: quote!(_), plain: true }
    }

    /// Tells the compiler what `return` and `?` must return; never run.
    pub(crate) fn early(&self) -> TokenStream {
        let hint = &self.hint;
        let none = quote!(::core::option::Option::<#hint>::None);
        if self.plain {
            TokenStream::new()
        } else {
            quote!(if let ::core::option::Option::Some(result) = #none { return result; })
        }
    }
}

fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        ty => ty,
    }
}

/// Lets an `impl Trait` capture every lifetime, as that of an `async fn` does: older editions need
/// to be told. The word `impl` decides about that, and this one is of our edition.
fn capture_all(ty: &mut Type) {
    if let Type::ImplTrait(it) = ty {
        it.impl_token.span = Span::call_site().located_at(it.impl_token.span);
    }
}

/// Visits every `impl Trait`, and every `dyn Trait<Item = impl Other>`.
fn each_impl(ty: &mut Type, visit: &mut dyn FnMut(&mut Type)) {
    match ty {
        Type::Array(array) => each_impl(&mut array.elem, visit),
        Type::Group(group) => each_impl(&mut group.elem, visit),
        Type::Paren(paren) => each_impl(&mut paren.elem, visit),
        Type::Ptr(pointer) => each_impl(&mut pointer.elem, visit),
        Type::Reference(reference) => each_impl(&mut reference.elem, visit),
        Type::Slice(slice) => each_impl(&mut slice.elem, visit),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| each_impl(ty, visit)),
        Type::Path(path) => {
            let arguments =
                path.path.segments.iter_mut().filter_map(|it| match &mut it.arguments {
                    PathArguments::AngleBracketed(arguments) => Some(&mut arguments.args),
                    _ => None,
                });
            for argument in arguments.flatten() {
                if let GenericArgument::Type(ty) = argument {
                    each_impl(ty, visit);
                }
            }
        }
        ty if mentions_impl(quote!(#ty)) => visit(ty),
        _ => {}
    }
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}
