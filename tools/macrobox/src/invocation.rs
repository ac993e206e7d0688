// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls given as text: what the compiler would hand to the macro.

use crate::{Call, Error, Hygiene, Kind, Source, Span, Stream, Tree, lex};

impl Call {
    /// A call whose input is `text`.
    pub fn from_source(kind: Kind, name: &str, text: &str) -> Result<Self, Error> {
        let source =
            Source { path: "<input>".into(), text: text.into(), offset: 0, line: 1, column: 1 };
        let input = lex_source(&source, 0)?;
        let site = Span { file: 0, lo: 0, hi: text.len() as u32, hygiene: Hygiene::Call };
        let attribute = (kind == Kind::Attribute).then(Stream::default);
        Ok(Call { kind, name: name.into(), attribute, input, site, sources: vec![source] })
    }

    /// The same with `text` in the attribute's parentheses.
    pub fn with_attribute(mut self, text: &str) -> Result<Self, Error> {
        let source =
            Source { path: "<attribute>".into(), text: text.into(), offset: 0, line: 1, column: 1 };
        self.attribute = Some(lex_source(&source, self.sources.len() as u32)?);
        self.sources.push(source);
        Ok(self)
    }
}

/// The tokens of `source`, which is number `file` of a call's sources.
pub(crate) fn lex_source(source: &Source, file: u32) -> Result<Stream, Error> {
    let span = |lo: usize, hi: usize| Span {
        file,
        lo: source.offset + lo as u32,
        hi: source.offset + hi as u32,
        hygiene: Hygiene::Source,
    };
    lex(&source.text, span).map_err(|error| {
        let before = &source.text[..error.at];
        let line = before.matches('\n').count() + source.line as usize;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Error::Lex { error, line, column }
    })
}

/// What a call given as text is, before anyone knows the macro's library.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub kind: Kind,
    /// The path as written.
    pub path: String,
    pub attribute: Option<Stream>,
    pub input: Stream,
}

impl Written {
    /// The macro's own name, at the path's end.
    pub fn name(&self) -> &str {
        self.path.rsplit("::").next().unwrap_or_default()
    }
}

/// Reads `#[derive(Name)] item`, `#[name(..)] item` or `name!(..)`; one entry per derive.
pub(crate) fn read_written(stream: &Stream) -> Result<Vec<Written>, Error> {
    let trees = stream.trees();
    let fails = || {
        Error::Name(
            "this is no macro call: give `name!(..)`, `#[name(..)] item` or `#[derive(Name)] item`; \
             `expand`, `trace` and `debug` find a call by its place with `--at FILE:LINE`"
                .into(),
        )
    };
    if let [hash, Tree::Group(group), item @ ..] = trees
        && hash.is_punct(b'#')
        && !item.is_empty()
    {
        let inside = group.stream.trees();
        let (path, rest) = read_path(inside);
        let arguments = match rest {
            [Tree::Group(group)] => Some(group.stream.clone()),
            [] => None,
            _ => return Err(fails()),
        };
        let item: Stream = item.to_vec().into();
        if path != "derive" {
            let attribute = Some(arguments.unwrap_or_default());
            return Ok(vec![Written { kind: Kind::Attribute, path, attribute, input: item }]);
        }
        let arguments = arguments.ok_or_else(fails)?;
        let names = arguments.trees().split(|tree| tree.is_punct(b','));
        let each = names.filter(|name| !name.is_empty()).map(|name| Written {
            kind: Kind::Derive,
            path: read_path(name).0,
            attribute: None,
            input: item.clone(),
        });
        let each = Vec::from_iter(each);
        return if each.is_empty() { Err(fails()) } else { Ok(each) };
    }
    let (path, rest) = read_path(trees);
    match rest {
        [bang, Tree::Group(group), end @ ..]
            if bang.is_punct(b'!') && !path.is_empty() && end.len() <= 1 =>
        {
            let input = group.stream.clone();
            Ok(vec![Written { kind: Kind::Function, path, attribute: None, input }])
        }
        _ => Err(fails()),
    }
}

/// `a::b::c` at the start of `trees`, and what follows.
fn read_path(trees: &[Tree]) -> (String, &[Tree]) {
    let belongs = |tree: &&Tree| matches!(tree, Tree::Ident(_)) || tree.is_punct(b':');
    let length = trees.iter().take_while(belongs).count();
    let (path, rest) = trees.split_at(length);
    let text = path.iter().map(|tree| match tree {
        Tree::Ident(ident) => &*ident.text,
        _ => ":",
    });
    (text.collect(), rest)
}
