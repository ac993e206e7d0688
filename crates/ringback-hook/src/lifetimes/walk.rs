// SPDX-License-Identifier: MIT OR Apache-2.0

//! Goes through types and shows what stands in them, and under which references.

use super::names::{ELIDED, Names, any_lifetime};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, CapturedParam, FnArg, GenericArgument, GenericParam, Lifetime,
    Path, PathArguments, ReceiverKind, ReturnType, Signature, Token, TraitBound, Type,
    TypeParamBound, TypePath,
};

/// What stands in a type.
pub(super) enum Place<'t> {
    Lifetime(&'t mut Lifetime),
    /// An elided one under a reference and in an `impl Trait`, where plain functions want a name.
    Unnamed(&'t mut Lifetime),
    /// A type parameter, `Self`, or what is projected from one, by its text.
    Parameter(String),
    /// The bounds of the nth `impl Trait`.
    Impl(usize, &'t mut Punctuated<TypeParamBound, Token![+]>),
}

/// Sees each place, with the lifetimes of all references around it.
type Visit<'v> = dyn FnMut(Place<'_>, &[String]) + 'v;

pub(super) struct Walk<'v> {
    names: &'v Names,
    visit: &'v mut Visit<'v>,
    /// The references around this place, outermost first.
    under: Vec<String>,
    /// Lifetimes of a `for<'a>` around this place.
    bound: Vec<String>,
    /// Inside of `fn(..)` or `Fn(..)`, where an elided lifetime is the function's own.
    functions: usize,
    impls: usize,
    /// Inside of so many `impl Trait`.
    inside_impls: usize,
}

impl<'v> Walk<'v> {
    /// Through all arguments.
    pub(super) fn arguments(signature: &mut Signature, names: &'v Names, visit: &'v mut Visit<'v>) {
        let mut walk = Walk::new(names, visit);
        for input in &mut signature.inputs {
            match input {
                FnArg::Typed(argument) => walk.ty(&mut argument.ty),
                FnArg::Receiver(receiver) => match &mut receiver.kind {
                    ReceiverKind::Typed(_, ty) => walk.ty(ty),
                    ReceiverKind::Reference(and, lifetime, _) => {
                        let inside = |walk: &mut Self| walk.parameter("Self".to_owned());
                        walk.reference(and.span, lifetime, inside);
                    }
                    _ => walk.parameter("Self".to_owned()),
                },
            }
        }
    }

    /// Through the result.
    pub(super) fn result(output: &mut ReturnType, names: &'v Names, visit: &'v mut Visit<'v>) {
        if let ReturnType::Type(_, ty) = output {
            Walk::new(names, visit).ty(ty);
        }
    }

    fn new(names: &'v Names, visit: &'v mut Visit<'v>) -> Self {
        let (under, bound) = (Vec::new(), Vec::new());
        Walk { names, visit, under, bound, functions: 0, impls: 0, inside_impls: 0 }
    }

    fn ty(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) => {
                let inside = |walk: &mut Self| walk.ty(&mut reference.elem);
                self.reference(reference.and_token.span, &mut reference.lifetime, inside);
            }
            Type::Path(path) => self.path_type(path),
            Type::Array(array) => self.ty(&mut array.elem),
            Type::Group(group) => self.ty(&mut group.elem),
            Type::Paren(paren) => self.ty(&mut paren.elem),
            Type::Ptr(pointer) => self.ty(&mut pointer.elem),
            Type::Slice(slice) => self.ty(&mut slice.elem),
            Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| self.ty(ty)),
            Type::TraitObject(object) => self.bounds(&mut object.bounds),
            Type::ImplTrait(closure) => {
                (self.visit)(Place::Impl(self.impls, &mut closure.bounds), &self.under);
                self.impls += 1;
                self.inside_impls += 1;
                self.bounds(&mut closure.bounds);
                self.inside_impls -= 1;
            }
            Type::FnPtr(function) => {
                let lifetimes = function.lifetimes.iter().flat_map(|it| &it.lifetimes);
                let (inputs, output) = (&mut function.inputs, &mut function.output);
                let inputs = inputs.iter_mut().map(|input| &mut input.ty);
                self.bound_by(lifetimes, |walk| walk.function(inputs, output));
            }
            // Nothing can be seen in a macro's call or in newer syntax.
            _ => {}
        }
    }

    fn reference(
        &mut self,
        and: proc_macro2::Span,
        written: &mut Option<Lifetime>,
        inside: impl FnOnce(&mut Self),
    ) {
        let mut lifetime = written.clone().unwrap_or_else(|| Lifetime::new(ELIDED, and));
        self.lifetime(&mut lifetime);
        self.under.push(lifetime.to_string());
        if written.is_some() || lifetime.ident != "_" {
            *written = Some(lifetime);
        }
        inside(self);
        self.under.pop();
    }

    fn lifetime(&mut self, lifetime: &mut Lifetime) {
        let elided = lifetime.ident == "_";
        if (elided && self.functions > 0) || self.bound.contains(&lifetime.to_string()) {
            return;
        }
        let unnamed = elided && self.inside_impls > 0 && !self.under.is_empty();
        let place = if unnamed { Place::Unnamed(lifetime) } else { Place::Lifetime(lifetime) };
        (self.visit)(place, &self.under);
    }

    fn parameter(&mut self, name: String) {
        (self.visit)(Place::Parameter(name), &self.under);
    }

    fn path_type(&mut self, ty: &mut TypePath) {
        let first = ty.path.segments.first().map(|segment| segment.ident.to_string());
        let of_parameter = first.is_some_and(|first| self.names.is_type(&first));
        if of_parameter || ty.qself.as_ref().is_some_and(|it| self.names.mentions_type(&it.ty)) {
            self.projected(ty);
        }
        if let Some(qself) = &mut ty.qself {
            self.ty(&mut qself.ty);
        }
        self.path(&mut ty.path);
    }

    /// A parameter, or what is projected from one. With the lifetime of a function around it, it has
    /// no name outside; then what it is projected from counts.
    fn projected(&mut self, ty: &TypePath) {
        let text = ty.to_token_stream();
        let is_functions = |name: &str| {
            (name == "_" && self.functions > 0) || self.bound.contains(&format!("'{name}"))
        };
        if !any_lifetime(text.clone(), &is_functions) {
            self.parameter(text.to_string());
        } else if let (None, Some(first)) = (&ty.qself, ty.path.segments.first()) {
            self.parameter(first.ident.to_string()); // a `qself` is walked through
        }
    }

    fn path(&mut self, path: &mut Path) {
        for segment in &mut path.segments {
            match &mut segment.arguments {
                PathArguments::AngleBracketed(arguments) => self.arguments_of(arguments),
                PathArguments::Parenthesized(function) => {
                    let inputs = function.inputs.iter_mut().map(|input| &mut input.ty);
                    self.function(inputs, &mut function.output);
                }
                PathArguments::None => {}
            }
        }
    }

    fn arguments_of(&mut self, arguments: &mut AngleBracketedGenericArguments) {
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => self.lifetime(lifetime),
                GenericArgument::Type(ty) => self.ty(ty),
                GenericArgument::AssocType(associated) => self.ty(&mut associated.ty),
                GenericArgument::Constraint(constraint) => self.bounds(&mut constraint.bounds),
                _ => {}
            }
        }
    }

    fn bounds(&mut self, bounds: &mut Punctuated<TypeParamBound, Token![+]>) {
        for bound in bounds {
            match bound {
                TypeParamBound::Lifetime(lifetime) => self.lifetime(lifetime),
                TypeParamBound::Trait(TraitBound { lifetimes, path, .. }) => {
                    let lifetimes = lifetimes.iter().flat_map(|it| &it.lifetimes);
                    self.bound_by(lifetimes, |walk| walk.path(path));
                }
                TypeParamBound::PreciseCapture(captured) => {
                    for parameter in &mut captured.params {
                        if let CapturedParam::Lifetime(lifetime) = parameter {
                            self.lifetime(lifetime);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn function<'t>(
        &mut self,
        inputs: impl Iterator<Item = &'t mut Type>,
        output: &mut ReturnType,
    ) {
        self.functions += 1;
        inputs.for_each(|ty| self.ty(ty));
        if let ReturnType::Type(_, ty) = output {
            self.ty(ty);
        }
        self.functions -= 1;
    }

    fn bound_by<'t>(
        &mut self,
        lifetimes: impl Iterator<Item = &'t GenericParam>,
        inside: impl FnOnce(&mut Self),
    ) {
        let before = self.bound.len();
        self.bound.extend(lifetimes.filter_map(|parameter| match parameter {
            GenericParam::Lifetime(lifetime) => Some(lifetime.lifetime.to_string()),
            _ => None,
        }));
        inside(self);
        self.bound.truncate(before);
    }
}
