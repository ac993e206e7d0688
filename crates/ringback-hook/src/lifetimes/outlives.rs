// SPDX-License-Identifier: MIT OR Apache-2.0

//! What outlives what, without a bound of ours: names of lifetimes and of type parameters.

use quote::ToTokens;
use syn::{
    GenericArgument, GenericParam, Generics, PathArguments, Type, TypeParamBound, TypePath,
    WherePredicate,
};

/// Pairs (longer, shorter), and what follows from them.
#[derive(Clone, Default)]
pub(super) struct Outlives {
    pairs: Vec<(String, String)>,
    /// Types bounded by a trait with parameters: what is projected from them may be as short as those.
    by_parameters: Vec<String>,
}

impl Outlives {
    pub(super) fn add(&mut self, longer: &str, shorter: &str) {
        self.pairs.push((longer.to_owned(), shorter.to_owned()));
    }

    /// Both name the same lifetime.
    pub(super) fn same(&mut self, one: &str, other: &str) {
        self.add(one, other);
        self.add(other, one);
    }

    /// The bounds that the user has written.
    pub(super) fn declared(&mut self, generics: &Generics) {
        for parameter in &generics.params {
            match parameter {
                GenericParam::Lifetime(it) => {
                    self.shorter(&it.lifetime, it.bounds.iter().map(ToString::to_string));
                }
                GenericParam::Type(it) => self.bounded(&it.ident, &it.bounds),
                GenericParam::Const(_) => {}
            }
        }
        for predicate in generics.where_clause.iter().flat_map(|it| &it.predicates) {
            match predicate {
                WherePredicate::Lifetime(it) => {
                    self.shorter(&it.lifetime, it.bounds.iter().map(ToString::to_string));
                }
                WherePredicate::Type(it) => self.bounded(&it.bounded_ty, &it.bounds),
                _ => {}
            }
        }
    }

    fn bounded<'t>(
        &mut self,
        ty: &impl ToTokens,
        bounds: impl IntoIterator<Item = &'t TypeParamBound> + Clone,
    ) {
        self.shorter(ty, lifetimes(bounds.clone()));
        if bounds.into_iter().any(has_parameters) {
            self.by_parameters.push(ty.to_token_stream().to_string());
        }
    }

    fn shorter(&mut self, longer: &impl ToTokens, shorter: impl Iterator<Item = String>) {
        let longer = longer.to_token_stream().to_string();
        shorter.for_each(|shorter| self.add(&longer, &shorter));
    }

    /// Whether `longer` outlives `shorter` by these pairs.
    pub(super) fn holds(&self, longer: &str, shorter: &str) -> bool {
        let mut reached = vec![longer];
        let mut next = 0;
        while let Some(&name) = reached.get(next) {
            if name == shorter || name == "'static" {
                return true;
            }
            for (from, to) in &self.pairs {
                if from == name && !reached.contains(&to.as_str()) {
                    reached.push(to);
                }
            }
            next += 1;
        }
        // What is projected from a type outlives what the type outlives.
        projected_from(longer)
            .filter(|base| !self.by_parameters.contains(base))
            .is_some_and(|base| self.holds(&base, shorter))
    }
}

fn has_parameters(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.iter().any(|segment| match &segment.arguments {
        PathArguments::None => false,
        PathArguments::AngleBracketed(it) => it
            .args
            .iter()
            .any(|it| matches!(it, GenericArgument::Type(_) | GenericArgument::Lifetime(_))),
        PathArguments::Parenthesized(_) => true,
    })
}

/// `T` of `T::Item` and of `<T as Iterator>::Item`. None where it has other parameters, by which it
/// may be shorter.
fn projected_from(node: &str) -> Option<String> {
    let Type::Path(TypePath { qself, path, .. }) = syn::parse_str(node).ok()? else { return None };
    if path.segments.iter().any(|segment| !segment.arguments.is_none()) {
        return None;
    }
    match qself {
        Some(qself) => Some(qself.ty.to_token_stream().to_string()),
        None if path.segments.len() == 2 => Some(path.segments[0].ident.to_string()),
        None => None,
    }
}

/// The lifetimes among bounds.
pub(super) fn lifetimes<'t>(
    bounds: impl IntoIterator<Item = &'t TypeParamBound>,
) -> impl Iterator<Item = String> {
    bounds.into_iter().filter_map(|bound| match bound {
        TypeParamBound::Lifetime(lifetime) => Some(lifetime.to_string()),
        _ => None,
    })
}
