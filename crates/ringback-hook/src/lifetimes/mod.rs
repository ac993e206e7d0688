// SPDX-License-Identifier: MIT OR Apache-2.0

//! The lifetime rule: which lifetime the future has, and what must outlive it.
//!
//! A function whose lifetime parameters stand in a bound does not coerce to `for<'a> fn(..)`. So the
//! future gets a lifetime that everything borrowed outlives anyway, without a bound, if there is one:
//! a single `'__hook` for all lifetimes that are elided, or one that the user has named. What stands
//! under a reference stays as it is, since it outlives that reference. Where bounds are needed, they
//! are written, and the function can be called but not stored.

mod names;
mod outlives;
mod walk;

use crate::tokens::{any_word, behind};
use names::{ELIDED, Names, with_life};
use outlives::{Outlives, lifetimes};
use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    FnArg, GenericParam, Generics, Lifetime, Signature, Token, TypeParamBound, WherePredicate,
};
use walk::{Place, Walk};

/// Names every lifetime that must have a name, and returns the future's. None: it borrows nothing,
/// or the compiler will refuse the result (E0106), and finds the arguments as they were written.
pub(crate) fn settle(signature: &mut Signature) -> Option<Lifetime> {
    let names = Names::of(signature);
    let mut found = Found::in_signature(signature, &names);
    if found.result_elides && found.elided_result().is_none() {
        return None;
    }
    let Some(name) = found.choose(&names) else {
        found.name_result(signature, &names, ELIDED);
        return found.of_self(signature, &names);
    };
    found.outlives.same(ELIDED, &name);
    found.name_result(signature, &names, &name);
    found.name_arguments(signature, &names, &name);
    if name == names.fresh {
        return Some(declare(signature, &name));
    }
    Some(Lifetime::new(&name, Span::call_site()))
}

/// Adds a lifetime that the signature does not have.
pub(crate) fn declare_fresh(signature: &mut Signature) -> Lifetime {
    let name = Names::of(signature).fresh;
    declare(signature, &name)
}

fn declare(signature: &mut Signature, name: &str) -> Lifetime {
    let life = Lifetime::new(name, Span::call_site());
    signature.generics.params.insert(0, GenericParam::Lifetime(syn::parse_quote!(#life)));
    life
}

/// Writes `node: life`, and so that the compiler's help, which adds to the last bound, adds to one of the
/// user's: beside the parameter where it is one, otherwise first in the `where` clause.
fn bound(generics: &mut Generics, node: &str, life: &Lifetime) {
    let clause = generics.where_clause.as_ref().map(|it| &it.predicates);
    let said_below = clause.into_iter().flatten().any(|predicate| match predicate {
        WherePredicate::Lifetime(it) => it.lifetime.to_string() == node,
        WherePredicate::Type(it) => it.bounded_ty.to_token_stream().to_string() == node,
        _ => false,
    });
    for parameter in generics.params.iter_mut().filter(|_| !said_below) {
        match parameter {
            GenericParam::Lifetime(it) if it.lifetime.to_string() == node => {
                return it.bounds.insert(0, life.clone());
            }
            GenericParam::Type(it) if it.ident == node => {
                it.colon_token.get_or_insert(Token![:](behind(&it.ident)));
                return it.bounds.insert(0, TypeParamBound::Lifetime(life.clone()));
            }
            _ => {}
        }
    }
    let node = with_life(node.parse().unwrap_or_default(), life);
    generics.make_where_clause().predicates.insert(0, syn::parse_quote!(#node: #life));
}

/// What stands in the arguments.
#[derive(Default)]
struct Found {
    /// Everything that must outlive the future, by its name.
    nodes: Vec<String>,
    outlives: Outlives,
    /// The lifetimes that an elided one in the result could mean.
    candidates: Vec<String>,
    /// The one that it does mean where there is a receiver.
    of_receiver: Option<String>,
    result_elides: bool,
}

impl Found {
    fn in_signature(signature: &Signature, names: &Names) -> Self {
        let mut found = Found::default();
        found.outlives.declared(&signature.generics);
        let mut copy = signature.clone();
        Walk::arguments(&mut copy, names, &mut |place, under| found.see(place, under));
        if matches!(signature.inputs.first(), Some(FnArg::Receiver(_))) {
            copy.inputs = signature.inputs.iter().take(1).cloned().collect();
            let of_receiver = &mut found.of_receiver;
            Walk::arguments(&mut copy, names, &mut |place, _| {
                if let (Place::Lifetime(lifetime), None) = (place, &of_receiver) {
                    *of_receiver = Some(lifetime.to_string());
                }
            });
        }
        let elides = &mut found.result_elides;
        Walk::result(&mut copy.output, names, &mut |place, _| {
            *elides |= matches!(place, Place::Lifetime(lifetime) if lifetime.ident == "_");
        });
        found
    }

    fn see(&mut self, place: Place<'_>, under: &[String]) {
        let node = match place {
            Place::Unnamed(lifetime) => {
                self.candidates.push(lifetime.to_string());
                return; // gets a name, but outlives the reference
            }
            Place::Lifetime(lifetime) => {
                let name = lifetime.to_string();
                let elided = name == ELIDED;
                if elided || !self.candidates.contains(&name) {
                    self.candidates.push(name.clone());
                }
                if elided && !under.is_empty() {
                    return; // outlives the reference, and needs no name
                }
                name
            }
            Place::Parameter(name) => name,
            Place::Impl(number, bounds) => {
                let node = impl_name(number);
                lifetimes(&*bounds).for_each(|shorter| self.outlives.add(&node, &shorter));
                node
            }
        };
        for reference in under {
            self.outlives.add(&node, reference);
        }
        if !self.nodes.contains(&node) {
            self.nodes.push(node);
        }
    }

    /// What an elided lifetime in the result means, by the language's rule.
    fn elided_result(&self) -> Option<&str> {
        match (&self.of_receiver, &self.candidates[..]) {
            (Some(receiver), _) => Some(receiver),
            (None, [only]) => Some(only),
            _ => None,
        }
    }

    /// The future's lifetime.
    fn choose(&self, names: &Names) -> Option<String> {
        let needed = || self.nodes.iter().filter(|node| !self.outlives.holds(node, "'static"));
        let all_outlive = |outlives: &Outlives, life: &str| {
            needed().filter(|node| is_lifetime(node)).all(|node| outlives.holds(node, life))
        };
        let elided = self.nodes.iter().any(|node| node == ELIDED);
        if elided && all_outlive(&self.outlives, ELIDED) {
            return Some(names.fresh.clone());
        }
        for name in needed().filter(|node| is_lifetime(node) && *node != ELIDED) {
            let declared_here = names.lifetimes.contains(name);
            if elided && (!declared_here || self.outlives.holds(name, ELIDED)) {
                continue; // not to be shortened to what is elided
            }
            let mut outlives = self.outlives.clone();
            outlives.same(ELIDED, name);
            if all_outlive(&outlives, name) {
                return Some(name.clone());
            }
        }
        match &names.lifetimes[..] {
            _ if needed().any(|node| is_lifetime(node)) => Some(names.fresh.clone()),
            // Nothing is seen to be borrowed: a lone lifetime is there to say how long things live.
            [only] => Some(only.clone()),
            _ => needed().next().map(|_| names.fresh.clone()),
        }
    }

    /// The future's lifetime where nothing is seen to be borrowed, but an argument may be of a type
    /// parameter of the impl block, which stands in `Self`: `async fn new(value: T) -> Self`.
    fn of_self(&self, signature: &mut Signature, names: &Names) -> Option<Lifetime> {
        let has_arguments = signature.inputs.iter().any(|it| matches!(it, FnArg::Typed(_)));
        let has_self = || any_word(&signature.to_token_stream(), &|word| word == "Self");
        if !has_arguments || !has_self() || self.outlives.holds("Self", "'static") {
            return None;
        }
        let life = declare(signature, &names.fresh);
        bound(&mut signature.generics, "Self", &life);
        Some(life)
    }

    /// Writes the future's lifetime where it was elided, and bounds where they are needed.
    fn name_arguments(&self, signature: &mut Signature, names: &Names, life: &str) {
        let short = |node: &str| !self.outlives.holds(node, life);
        let mut others = Vec::new();
        Walk::arguments(signature, names, &mut |place, under| match place {
            Place::Unnamed(lifetime) => {
                others.push(names.another(others.len()));
                rename(lifetime, &others[others.len() - 1]);
            }
            Place::Lifetime(lifetime) if lifetime.ident == "_" && under.is_empty() => {
                rename(lifetime, life);
            }
            Place::Impl(number, bounds) if short(&impl_name(number)) => {
                let life = Lifetime::new(life, Span::call_site());
                bounds.insert(0, TypeParamBound::Lifetime(life));
            }
            _ => {}
        });
        for other in others.iter().rev() {
            declare(signature, other);
        }
        let life = Lifetime::new(life, Span::call_site());
        for node in self.nodes.iter().filter(|node| !is_impl(node) && short(node)) {
            bound(&mut signature.generics, node, &life);
        }
    }

    /// Writes out what an elided lifetime in the result means.
    fn name_result(&self, signature: &mut Signature, names: &Names, life: &str) {
        let Some(meant) = self.elided_result() else { return };
        let meant = if meant == ELIDED { life } else { meant };
        Walk::result(&mut signature.output, names, &mut |place, _| {
            if let Place::Lifetime(lifetime) = place
                && lifetime.ident == "_"
            {
                rename(lifetime, meant);
            }
        });
    }
}

/// The lifetime's name, at the place where it was elided.
fn rename(lifetime: &mut Lifetime, name: &str) {
    let span = Span::call_site().located_at(lifetime.span());
    *lifetime = Lifetime::new(name, span);
}

fn is_lifetime(node: &str) -> bool {
    node.starts_with('\'')
}

fn impl_name(number: usize) -> String {
    format!("impl {number}")
}

fn is_impl(node: &str) -> bool {
    node.starts_with("impl ")
}
