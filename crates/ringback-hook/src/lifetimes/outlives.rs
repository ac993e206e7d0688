//! What outlives what, without a bound of ours: names of lifetimes and of type parameters.

use quote::ToTokens;
use syn::{GenericParam, Generics, TypeParamBound, WherePredicate};

/// Pairs (longer, shorter), and what follows from them.
#[derive(Clone, Default)]
pub(super) struct Outlives(Vec<(String, String)>);

impl Outlives {
    pub(super) fn add(&mut self, longer: &str, shorter: &str) {
        self.0.push((longer.to_owned(), shorter.to_owned()));
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
                GenericParam::Type(it) => self.shorter(&it.ident, lifetimes(&it.bounds)),
                GenericParam::Const(_) => {}
            }
        }
        for predicate in generics.where_clause.iter().flat_map(|it| &it.predicates) {
            match predicate {
                WherePredicate::Lifetime(it) => {
                    self.shorter(&it.lifetime, it.bounds.iter().map(ToString::to_string));
                }
                WherePredicate::Type(it) => self.shorter(&it.bounded_ty, lifetimes(&it.bounds)),
                _ => {}
            }
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
            for (from, to) in &self.0 {
                if from == name && !reached.contains(&to.as_str()) {
                    reached.push(to);
                }
            }
            next += 1;
        }
        false
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
