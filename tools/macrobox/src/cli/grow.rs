// SPDX-License-Identifier: MIT OR Apache-2.0

//! The same call with more in it: what `profile` sweeps over.

use crate::{Call, Error, render, to_text};
use quote::ToTokens;
use std::collections::HashSet;
use syn::ext::IdentExt;
use syn::parse::{Parse, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Field, Fields, FnArg, Ident, ImplItem, Item, LitInt, Pat, Token, TraitItem, Type};

/// `call` with `size` of what it has several of: the fields of a struct, the variants of an enum, the
/// arguments or methods of an item, the arguments of the call; or with `size` as its integer. The ones
/// it has are repeated in turn, each under a name of its own.
pub(super) fn grow(call: &Call, size: usize) -> Result<Call, Error> {
    let text = to_text(&call.input);
    // An item may begin with a visibility or an attribute, arguments never with a keyword of items.
    let grown = match syn::parse_str::<Item>(&text) {
        Ok(item) => grow_item(item, size),
        Err(_) => grow_arguments(&text, size),
    };
    let grown = grown.ok_or_else(|| {
        Error::Name(format!(
            "nothing to grow in `{}`: give a struct or union with fields, an enum with variants, a \
             function with arguments, a trait or impl with methods, an integer, or arguments that \
             are expressions, types or `name: Type`",
            render::shortened(&text)
        ))
    })?;
    let made = Call::from_source(call.kind, &call.name, &grown)?;
    match &call.attribute {
        Some(attribute) => made.with_attribute(&to_text(attribute)),
        None => Ok(made),
    }
}

/// The item laid out; none if it has nothing to repeat.
fn grow_item(mut item: Item, size: usize) -> Option<String> {
    match &mut item {
        Item::Struct(one) => match &mut one.fields {
            Fields::Named(fields) => fields.named = several(&fields.named, size, field_name)?,
            Fields::Unnamed(fields) => fields.unnamed = several(&fields.unnamed, size, no_name)?,
            Fields::Unit => return None,
        },
        Item::Union(one) => one.fields.named = several(&one.fields.named, size, field_name)?,
        Item::Enum(one) => {
            let given = one.variants.len();
            one.variants = several(&one.variants, size, |variant| Some(&mut variant.ident))?;
            // The same number twice does not compile.
            one.variants.iter_mut().skip(given).for_each(|variant| variant.discriminant = None);
        }
        Item::Fn(one) => {
            let is_self = |one: &FnArg| matches!(one, FnArg::Receiver(_));
            let (own, rest): (Vec<_>, Vec<_>) = one.sig.inputs.iter().cloned().partition(is_self);
            let rest: Vec<FnArg> = repeat(&rest, size, argument_name)?;
            one.sig.inputs = own.into_iter().chain(rest).collect();
        }
        Item::Trait(one) => one.items = repeat(&one.items, size, trait_item_name)?,
        Item::Impl(one) => one.items = repeat(&one.items, size, impl_item_name)?,
        _ => return None,
    }
    Some(prettyplease::unparse(&syn::File { shebang: None, attrs: Vec::new(), items: vec![item] }))
}

/// A function-like macro's arguments, in the first form that they have.
fn grow_arguments(text: &str, size: usize) -> Option<String> {
    if let Ok(number) = syn::parse_str::<LitInt>(text) {
        return Some(format!("{size}{}", number.suffix()));
    }
    list(text, size, Field::parse_named, field_name)
        .or_else(|| list(text, size, Expr::parse, expression_name))
        .or_else(|| list(text, size, Type::parse, no_name))
}

fn list<T: Clone + ToTokens>(
    text: &str,
    size: usize,
    parse: fn(syn::parse::ParseStream) -> syn::Result<T>,
    name: fn(&mut T) -> Option<&mut Ident>,
) -> Option<String> {
    let whole = |input: syn::parse::ParseStream| {
        Punctuated::<T, Token![,]>::parse_terminated_with(input, parse)
    };
    let given = whole.parse_str(text).ok()?;
    let grown = several(&given, size, name)?;
    let each: Vec<String> = grown.iter().map(|one| one.to_token_stream().to_string()).collect();
    Some(each.join(", "))
}

fn several<T: Clone, P: Default>(
    given: &Punctuated<T, P>,
    size: usize,
    name: fn(&mut T) -> Option<&mut Ident>,
) -> Option<Punctuated<T, P>> {
    let given: Vec<T> = given.iter().cloned().collect();
    Some(repeat(&given, size, name)?.into_iter().collect())
}

/// `size` of `given`, in turn; those after the first round get a number that makes their names new.
fn repeat<T: Clone>(
    given: &[T],
    size: usize,
    name: fn(&mut T) -> Option<&mut Ident>,
) -> Option<Vec<T>> {
    if given.is_empty() {
        return None;
    }
    let mut known: HashSet<String> = HashSet::new();
    for one in given {
        known.extend(name(&mut one.clone()).map(|name| name.to_string()));
    }
    let mut grown = Vec::with_capacity(size);
    for index in 0..size {
        let mut one = given[index % given.len()].clone();
        if index >= given.len()
            && let Some(name) = name(&mut one)
        {
            let mut round = index / given.len();
            let numbered = |round: usize| format!("{}_{round}", name.unraw());
            // Someone may have numbered by hand.
            while !known.insert(numbered(round)) {
                round += 1;
            }
            *name = Ident::new(&numbered(round), name.span());
        }
        grown.push(one);
    }
    Some(grown)
}

fn no_name<T>(_: &mut T) -> Option<&mut Ident> {
    None
}

fn field_name(field: &mut Field) -> Option<&mut Ident> {
    field.ident.as_mut()
}

fn argument_name(argument: &mut FnArg) -> Option<&mut Ident> {
    match argument {
        FnArg::Typed(typed) => match &mut *typed.pat {
            Pat::Ident(pattern) => Some(&mut pattern.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// A plain name gets a number too: what takes a list of names minds the same one twice. A type's does
/// not: it must stay that type.
fn expression_name(expression: &mut Expr) -> Option<&mut Ident> {
    const TYPES: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
        "u16", "u32", "u64", "u128", "usize",
    ];
    let Expr::Path(path) = expression else { return None };
    let name = path.path.get_ident()?.to_string();
    let is_type = name.starts_with(char::is_uppercase) || TYPES.contains(&&*name);
    path.path.segments.first_mut().map(|one| &mut one.ident).filter(|_| !is_type)
}

fn trait_item_name(item: &mut TraitItem) -> Option<&mut Ident> {
    match item {
        TraitItem::Const(one) => Some(&mut one.ident),
        TraitItem::Fn(one) => Some(&mut one.sig.ident),
        TraitItem::Type(one) => Some(&mut one.ident),
        _ => None,
    }
}

fn impl_item_name(item: &mut ImplItem) -> Option<&mut Ident> {
    match item {
        ImplItem::Const(one) => Some(&mut one.ident),
        ImplItem::Fn(one) => Some(&mut one.sig.ident),
        ImplItem::Type(one) => Some(&mut one.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn grown(kind: Kind, text: &str, size: usize) -> String {
        let call = Call::from_source(kind, "any", text).unwrap();
        to_text(&grow(&call, size).unwrap().input)
    }

    /// Two texts of the same tokens.
    fn same(ours: &str, expected: &str) {
        let tokens = |text: &str| {
            let text = text.parse::<proc_macro2::TokenStream>().unwrap().to_string();
            text.replace(' ', "") // which tells only how the text was spaced
        };
        assert_eq!(tokens(ours), tokens(expected));
    }

    #[test]
    fn fields_grow_with_their_types_attributes_and_visibility() {
        let given = "#[serde(rename_all = \"camelCase\")] pub struct S<T, U = (u8, u8)> where T: Clone { \
                     /// The first, with a comma\n \
                     pub(crate) map: HashMap<String, Vec<(T, u8)>>, #[serde(default)] pub r#type: U }";
        let expected = "#[serde(rename_all = \"camelCase\")] pub struct S<T, U = (u8, u8)> where T: Clone, { \
            #[doc = \" The first, with a comma\"] pub(crate) map: HashMap<String, Vec<(T, u8)>>, \
            #[serde(default)] pub r#type: U, \
            #[doc = \" The first, with a comma\"] pub(crate) map_1: HashMap<String, Vec<(T, u8)>>, }";
        same(&grown(Kind::Derive, given, 3), expected);
        let least = grown(Kind::Derive, given, 1);
        assert!(least.contains("map") && !least.contains("type"), "{least}");
        let tuple = grown(Kind::Derive, "struct P(pub HashMap<u8, u16>, #[skip] i8);", 3);
        same(&tuple, "struct P(pub HashMap<u8, u16>, #[skip] i8, pub HashMap<u8, u16>);");
    }

    #[test]
    fn variants_grow_and_keep_their_contents() {
        let given = "enum E<T> { A = 1, #[b] B { x: HashMap<u8, T>, y: u8 }, A_1 }";
        let expected = "enum E<T> { A = 1, #[b] B { x: HashMap<u8, T>, y: u8 }, A_1, A_2, \
                        #[b] B_1 { x: HashMap<u8, T>, y: u8 }, }";
        same(&grown(Kind::Derive, given, 5), expected);
    }

    #[test]
    fn arguments_and_methods_grow() {
        let function =
            grown(Kind::Attribute, "pub async fn f(&self, mut a: Map<u8, u8>) -> u8 { 1 }", 2);
        same(
            &function,
            "pub async fn f(&self, mut a: Map<u8, u8>, mut a_1: Map<u8, u8>) -> u8 { 1 }",
        );
        let methods = grown(Kind::Attribute, "trait T { fn a(&self); }", 2);
        same(&methods, "trait T { fn a(&self); fn a_1(&self); }");
    }

    #[test]
    fn a_call_s_arguments_grow_or_its_integer() {
        let function = |text, size| grown(Kind::Function, text, size);
        assert_eq!(function("1", 1024), "1024");
        assert_eq!(function("4usize", 7), "7usize");
        same(&function("a, 1 + b", 4), "a, 1 + b, a_1, 1 + b");
        same(&function("max(a, b)", 2), "max(a, b), max(a, b)");
        same(&function("Vec<u8, u8>, &'static str", 3), "Vec<u8, u8>, &'static str, Vec<u8, u8>");
        same(&function("u8, Name", 3), "u8, Name, u8");
        same(&function("pub a: Map<u8, u8>", 2), "pub a: Map<u8, u8>, pub a_1: Map<u8, u8>");
        same(&function("struct S { a: u8 }", 2), "struct S { a: u8, a_1: u8, }");
    }

    #[test]
    fn what_has_nothing_to_grow_is_refused() {
        for text in ["struct Unit;", "enum Empty {}", "fn f() {}", "use a::b;", "a => b", ""] {
            let call = Call::from_source(Kind::Function, "any", text).unwrap();
            let refused = grow(&call, 2).unwrap_err().to_string();
            assert!(refused.starts_with("nothing to grow in `"), "{text}: {refused}");
        }
    }
}
