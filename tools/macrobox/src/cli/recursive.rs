// SPDX-License-Identifier: MIT OR Apache-2.0

//! `expand --recursive`: what an output calls of the same macro is expanded in its place, until
//! nothing of it is left, by whatever name. What cannot be expanded stays as it stands, and is named.

use super::session::Session;
use crate::library::crate_name;
use crate::names::Called;
use crate::{
    Call, Delimiter, Error, Expansion, Group, Kind, Library, Record, Stream, Tree, agree, render,
    to_text, wire,
};
use std::collections::HashSet;
use syn::parse::{ParseStream, Parser};

/// Calls within calls within calls: as many as rustc follows.
const DEEPEST: usize = 128;

/// Calls in all: a macro that calls itself twice would take for ever to become too deep.
const MOST: usize = 10_000;

/// Expands what `expansion` of `call` calls of the same macro. `records` are what the compiler
/// expanded in the crate, none for a call given as text. The calls that are left, and why.
pub(super) fn expand(
    session: &mut Session,
    library: &Library,
    call: &Call,
    records: &[Record],
    expansion: &mut Expansion,
) -> Result<Vec<String>, Error> {
    let (said, left) = (Expansion::default(), Vec::new());
    let mut words = session.names.words(call.kind, &call.name, &library.crate_name());
    words.insert(call.name.clone());
    let mut recursion =
        Recursion { session, library, call, records, words, expanded: 0, nested: 0, said, left };
    recursion.rename(&call.input);
    expansion.stream = recursion.stream(&expansion.stream, 1, false)?;
    expansion.diagnostics.append(&mut recursion.said.diagnostics);
    expansion.stdout += &recursion.said.stdout;
    expansion.stderr += &recursion.said.stderr;
    Ok(recursion.left)
}

struct Recursion<'a> {
    session: &'a mut Session,
    library: &'a Library,
    call: &'a Call,
    records: &'a [Record],
    /// The last words of paths that may mean the macro: its own name, and what `use .. as` made of it.
    words: HashSet<String>,
    expanded: usize,
    /// In how many groups the tree at hand stands, those of all outputs around it counted.
    nested: usize,
    /// What the inner expansions said.
    said: Expansion,
    left: Vec<String>,
}

/// What may be a call of the macro.
struct Found {
    path: String,
    attribute: Option<Stream>,
    input: Stream,
    /// What stays in front of the expansion: a derive's item.
    kept: Vec<Tree>,
    /// How many trees it takes.
    length: usize,
    /// Why it is not for us to expand: then only the attributes are here.
    refused: Option<&'static str>,
}

impl Recursion<'_> {
    /// `stream` with its calls expanded; in `quoted` ones, the arguments of other macros, only what
    /// the compiler expanded too.
    fn stream(&mut self, stream: &Stream, depth: usize, quoted: bool) -> Result<Stream, Error> {
        self.rename(stream);
        let trees = stream.trees();
        let (mut out, mut at) = (Vec::new(), 0);
        while let Some(tree) = trees.get(at) {
            if let Some(found) = find(&trees[at..], self.call, &self.words) {
                let stands = &trees[at..at + found.length];
                at += found.length;
                let inner = match self.meaning(&found, quoted) {
                    Ok(true) => self.inner(&found, depth)?,
                    Ok(false) => None,
                    Err(why) => {
                        self.leave(&found, &why);
                        None
                    }
                };
                match inner {
                    Some(inner) => {
                        let before = out.last().cloned();
                        out.extend(found.kept);
                        at += place(&mut out, before.as_ref(), inner, trees.get(at), self.call);
                    }
                    None => out.extend_from_slice(stands),
                }
                continue;
            }
            out.push(match tree {
                Tree::Group(group) => {
                    let quoted = quoted || is_argument(&trees[..at]);
                    self.nested += 1;
                    let stream = self.stream(&group.stream, depth, quoted)?;
                    self.nested -= 1;
                    Tree::Group(Group { stream, ..group.clone() })
                }
                other => other.clone(),
            });
            at += 1;
        }
        Ok(out.into())
    }

    /// Adds what `use .. as` in `stream` makes of the macro. A recorded crate needs none of it: the
    /// compiler has met all names there.
    fn rename(&mut self, stream: &Stream) {
        if !self.records.is_empty() {
            return;
        }
        let own = self.library.crate_name();
        for used in stream.trees().split_inclusive(|tree| tree.is_punct(b';')) {
            let at = used.iter().position(|tree| tree.is_ident("use"));
            let Some(at) = at else { continue };
            let used: Stream = used[at..].to_vec().into();
            let read = || {
                let used = syn::parse_str::<syn::ItemUse>(&to_text(&used)).ok()?;
                let mut found = Vec::new();
                renames(&used.tree, String::new(), &mut |path, name| {
                    found.push((path.to_owned(), name))
                });
                Some(found)
            };
            for (path, name) in render::on_large_stack(&used, read).unwrap_or_default() {
                if path.rsplit("::").next() == Some(&self.call.name)
                    && self.session.names.leads_to(&path, &own)
                {
                    self.words.insert(name);
                }
            }
        }
    }

    /// Is it the macro? As rustc resolved it where it expanded the same, else by its path; or why
    /// nobody can tell.
    fn meaning(&self, found: &Found, quoted: bool) -> Result<bool, String> {
        if let Some(why) = found.refused {
            return Err(why.into());
        }
        let own = self.library.crate_name();
        let differ = |one: &Option<Stream>, other: &Option<Stream>| match (one, other) {
            (Some(one), Some(other)) => agree::first_difference(one, other).is_some(),
            _ => false,
        };
        let mut resolved = self.records.iter().filter(|record| {
            (record.kind, &record.name) == (self.call.kind, &self.call.name)
                && agree::first_difference(&record.input, &found.input).is_none()
                && !differ(&record.attribute, &found.attribute)
        });
        let is_own = |record: &Record| crate_name(record.library.as_ref()) == own;
        if let Some(first) = resolved.next() {
            return Ok(is_own(first) || resolved.any(is_own));
        }
        let last = found.path.rsplit("::").next();
        if !quoted && !self.records.is_empty() && last != Some(&self.call.name) {
            return Err("the compiler expanded no such call here".into());
        }
        let is_called = |one: &Called| {
            (one.kind, &one.name) == (self.call.kind, &self.call.name) && one.crate_name() == own
        };
        let names = &self.session.names;
        if !names.leads_to(&found.path, &own) && !names.called(&found.path).any(is_called) {
            let ways = self.session.names.ways_to(&own);
            return Err(format!("`{}` does not lead to {own}, which is {ways}", found.path));
        }
        if quoted {
            return Err("in the arguments of another macro, which may do anything with it".into());
        }
        Ok(true)
    }

    /// What `found` becomes; none if it stays.
    fn inner(&mut self, found: &Found, depth: usize) -> Result<Option<Stream>, Error> {
        self.expanded += 1;
        if depth > DEEPEST || self.expanded > MOST {
            let calls = if depth > DEEPEST { DEEPEST } else { MOST };
            self.leave(found, &format!("it still calls itself after {calls} times"));
            return Ok(None);
        }
        if self.nested > wire::DEEPEST {
            self.leave(found, &format!("its groups are nested deeper than {}", wire::DEEPEST));
            return Ok(None);
        }
        let Found { attribute, input, .. } = found;
        let (attribute, input) = (attribute.clone(), input.clone());
        let inner = Call { attribute, input, ..self.call.clone() };
        match self.session.expand(self.library, &inner) {
            Ok(expansion) => {
                self.said.diagnostics.extend(expansion.diagnostics);
                self.said.stdout += &expansion.stdout;
                self.said.stderr += &expansion.stderr;
                self.stream(&expansion.stream, depth + 1, false).map(Some)
            }
            Err(error) if error.failure().is_some() => {
                self.leave(found, &error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn leave(&mut self, found: &Found, why: &str) {
        let shown = render::shortened(&to_text(&found.input));
        self.left.push(match self.call.kind {
            Kind::Function => format!("{}!({shown}): {why}", found.path),
            Kind::Attribute => format!("#[{}] {shown}: {why}", found.path),
            Kind::Derive => format!("#[derive({})] {shown}: {why}", found.path),
        });
    }
}

/// Puts `inner` where the call stood, between `before` and `next`; how many more trees that takes.
fn place(
    out: &mut Vec<Tree>,
    before: Option<&Tree>,
    inner: Stream,
    next: Option<&Tree>,
    call: &Call,
) -> usize {
    let ends_item = |tree: &Tree| {
        tree.is_punct(b';')
            || matches!(tree, Tree::Group(group)
                if matches!(group.delimiter, Delimiter::Brace | Delimiter::Bracket))
    };
    let semicolon = next.is_some_and(|next| next.is_punct(b';'));
    let operator = matches!(next, Some(Tree::Punct(punct)) if !b";,#".contains(&punct.ch));
    let statement = before.is_none_or(ends_item) && !operator;
    if call.kind != Kind::Function || statement {
        let whole = inner.trees().last().is_none_or(ends_item);
        out.extend(inner.into_trees());
        // The call's own semicolon goes with a call that has become items or statements.
        return usize::from(call.kind == Kind::Function && semicolon && whole);
    }
    // As one operand, which it is for the compiler.
    match inner.trees() {
        [_] => out.extend(inner.into_trees()),
        _ => out.push(Tree::Group(Group {
            delimiter: Delimiter::Parenthesis,
            stream: inner,
            open: call.site,
            close: call.site,
            entire: call.site,
        })),
    }
    0
}

/// Does a group after `before` hold another macro's arguments or rules?
fn is_argument(before: &[Tree]) -> bool {
    // After a keyword, `!` is an operator.
    let (name, bang) = match before {
        [.., Tree::Ident(name), bang] | [.., Tree::Ident(name), bang, Tree::Ident(_)] => {
            (name, bang)
        }
        _ => return false,
    };
    bang.is_punct(b'!') && syn::parse_str::<syn::Ident>(&name.text).is_ok()
}

/// Each `path as name` of a `use`.
fn renames(tree: &syn::UseTree, before: String, each: &mut impl FnMut(&str, String)) {
    match tree {
        syn::UseTree::Path(path) => renames(&path.tree, format!("{before}{}::", path.ident), each),
        syn::UseTree::Rename(one) => {
            each(&format!("{before}{}", one.ident), one.rename.to_string())
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|one| renames(one, before.clone(), each));
        }
        syn::UseTree::Name(_) | syn::UseTree::Glob(_) => {}
    }
}

/// A call of `call`'s macro, by one of the `words`, at the start of `trees`.
fn find(trees: &[Tree], call: &Call, words: &HashSet<String>) -> Option<Found> {
    let is_named = |path: &str| path.rsplit("::").next().is_some_and(|last| words.contains(last));
    if call.kind == Kind::Function {
        let (path, length) = path_at(trees)?;
        return match &trees[length..] {
            [bang, Tree::Group(group), ..] if bang.is_punct(b'!') && is_named(&path) => {
                let input = group.stream.clone();
                let (kept, length) = (Vec::new(), length + 2);
                Some(Found { path, attribute: None, input, kept, length, refused: None })
            }
            _ => None,
        };
    }
    let attributes = attributes_at(trees);
    for (index, group) in attributes.iter().enumerate() {
        let (path, length) = path_at(group.stream.trees()).unwrap_or_default();
        let arguments = match group.stream.trees().get(length) {
            Some(Tree::Group(arguments)) => arguments.stream.clone(),
            _ => Stream::default(),
        };
        let begin = attributes.len() * 2;
        let item = || {
            let length = item_length(&trees[begin..]);
            let refused = length.is_none().then_some("what it stands on is no item");
            (refused, begin + length.unwrap_or(0))
        };
        if index == 0
            && path == "cfg_attr"
            && let Some(path) = within_cfg_attr(arguments.trees(), call.kind, &is_named)
        {
            let refused =
                Some("under `cfg_attr`, of which the compiler alone knows whether it holds");
            let input = trees[begin..].iter().take(8).cloned().collect::<Vec<_>>().into();
            let (kept, length) = (Vec::new(), 2);
            return Some(Found { path, attribute: None, input, kept, length, refused });
        }
        // The item with all its attributes but this one, in whose place `own` comes.
        let with = |own: &[Tree], length: usize| {
            [&trees[..index * 2], own, &trees[index * 2 + 2..length]].concat()
        };
        if call.kind == Kind::Attribute && is_named(&path) {
            let (refused, length) = item();
            let (attribute, input) = (Some(arguments), with(&[], length).into());
            return Some(Found { path, attribute, input, kept: Vec::new(), length, refused });
        }
        if call.kind == Kind::Derive && path == "derive" {
            let each = arguments.trees().split(|tree| tree.is_punct(b','));
            let name = |one: &&[Tree]| path_at(one).is_some_and(|(path, _)| is_named(&path));
            let Some(own) = each.clone().find(name) else { continue };
            let others: Vec<_> = each.filter(|one| !one.is_empty() && *one != own).collect();
            let comma = arguments.trees().iter().find(|tree| tree.is_punct(b',')).cloned();
            let stream = others.join(comma.as_slice()).into();
            let derive = match others.is_empty() {
                true => Vec::new(),
                false => derive(&trees[index * 2..index * 2 + 2], stream),
            };
            let (refused, length) = item();
            let (input, kept) = (with(&[], length).into(), with(&derive, length));
            let (path, _) = path_at(own)?;
            return Some(Found { path, attribute: None, input, kept, length, refused });
        }
    }
    None
}

/// The path of a macro of this `kind` that `cfg_attr(condition, arguments)` would call.
fn within_cfg_attr(
    arguments: &[Tree],
    kind: Kind,
    is_named: &impl Fn(&str) -> bool,
) -> Option<String> {
    let each = arguments.split(|tree| tree.is_punct(b',')).skip(1);
    let named = |trees: &[Tree]| path_at(trees).map(|(path, _)| path).filter(|path| is_named(path));
    each.filter_map(|one| match (kind, one) {
        (Kind::Derive, [name, Tree::Group(names)]) if name.is_ident("derive") => {
            names.stream.trees().split(|tree| tree.is_punct(b',')).find_map(named)
        }
        (Kind::Attribute, _) => named(one),
        _ => None,
    })
    .next()
}

/// `#[derive(..)]` with other arguments.
fn derive(attribute: &[Tree], arguments: Stream) -> Vec<Tree> {
    let within = |tree: &Tree, stream: Stream| match tree {
        Tree::Group(group) => Tree::Group(Group { stream, ..group.clone() }),
        other => other.clone(),
    };
    let [hash, Tree::Group(outer)] = attribute else { return attribute.to_vec() };
    let inner = outer.stream.trees().iter().map(|tree| within(tree, arguments.clone()));
    let inner: Vec<Tree> = inner.collect();
    vec![hash.clone(), within(&attribute[1], inner.into())]
}

/// `a::b` or `::a::b` at the start of `trees`, and how many of them it takes.
fn path_at(trees: &[Tree]) -> Option<(String, usize)> {
    let is_colons = |at: usize| {
        matches!(trees.get(at..at + 2), Some([Tree::Punct(one), other])
            if one.ch == b':' && one.joint && other.is_punct(b':'))
    };
    let (mut path, mut at) = (String::new(), 0);
    loop {
        if is_colons(at) {
            path += "::";
            at += 2;
        } else if at > 0 {
            return Some((path, at));
        }
        let Some(Tree::Ident(ident)) = trees.get(at) else { return None };
        path += &ident.text;
        at += 1;
    }
}

/// The groups of the outer attributes at the start of `trees`, two trees each.
fn attributes_at(trees: &[Tree]) -> Vec<&Group> {
    let pairs = trees.as_chunks::<2>().0.iter().map_while(|pair| match pair {
        [hash, Tree::Group(group)]
            if hash.is_punct(b'#') && group.delimiter == Delimiter::Bracket =>
        {
            Some(group)
        }
        _ => None,
    });
    pairs.collect()
}

/// How many trees the item at the start of `trees` takes.
fn item_length(trees: &[Tree]) -> Option<usize> {
    // An invisible group has no text, and would be counted wrongly.
    let is_invisible =
        |tree: &Tree| matches!(tree, Tree::Group(group) if group.delimiter == Delimiter::None);
    if trees.iter().any(is_invisible) {
        return None;
    }
    let rest = |input: ParseStream| {
        input.parse::<syn::Item>()?;
        Ok(input.parse::<proc_macro2::TokenStream>()?.into_iter().count())
    };
    let stream: Stream = trees.to_vec().into();
    let left = render::on_large_stack(&stream, || rest.parse_str(&to_text(&stream)).ok())?;
    trees.len().checked_sub(left)
}
