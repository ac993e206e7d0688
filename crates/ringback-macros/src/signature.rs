// SPDX-License-Identifier: MIT OR Apache-2.0

//! The parts of a function type that a pool and a callback type share: lifetimes, arguments, result.

use crate::cursor::Cursor;
use crate::errors::{Error, Message, Result};
use proc_macro::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};

pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) ty: TokenStream,
    pub(crate) is_function: bool,
}

/// Whether a function-pointer type begins here, perhaps one that borrows: no trait sees those.
pub(crate) fn is_function(input: &Cursor) -> bool {
    ["unsafe", "extern", "fn"].iter().any(|word| input.is_word(0, word))
        || (input.is_word(0, "for") && input.is_mark(1, '<'))
}

/// `for<'a, 'b>`, without the `for<..>`.
pub(crate) fn lifetimes(input: &mut Cursor) -> Result<TokenStream> {
    let mut lifetimes = Vec::new();
    if !input.word("for") {
        return Ok(TokenStream::new());
    }
    input.mark('<');
    while !input.mark('>') {
        if !input.is_mark(0, '\'') {
            return input.error(Message::TypeParameters);
        }
        lifetimes.extend(input.next());
        lifetimes.extend(input.next());
        if input.mark(',') {
            lifetimes.push(Punct::new(',', Spacing::Alone).into());
        } else if !input.is_mark(0, '>') {
            return input.error(Message::TypeParameters);
        }
    }
    if matches!(lifetimes.last(), Some(TokenTree::Punct(_))) {
        lifetimes.pop();
    }
    Ok(lifetimes.into_iter().collect())
}

pub(crate) fn arguments(list: &Group, safe: bool) -> Result<Vec<Argument>> {
    let mut input = Cursor::new(list.stream(), list.span_open());
    let mut arguments = Vec::new();
    while !input.is_empty() {
        documentation(&mut input)?;
        let name = argument_name(&mut input)?;
        if input.is_mark(0, '.') {
            return input.error(Message::Variadic);
        }
        let span = input.span();
        let ty = input.until(|at| at.is_mark(0, ','));
        let begin = Cursor::opened(ty.clone(), span);
        if begin.is_empty() {
            return Err(Error::new(Message::ArgumentType, span));
        }
        if safe && begin.is_mark(0, '&') {
            return begin.error(Message::SafeBorrow);
        }
        if let Some(span) = not_a_type(ty.clone()) {
            return Err(Error::new(Message::ArgumentType, span));
        }
        if !input.mark(',') && !input.is_empty() {
            return input.error(Message::ArgumentType);
        }
        arguments.push(Argument { name, ty, is_function: is_function(&begin) });
    }
    Ok(arguments)
}

/// Where C's notation is recognised, as in `unsigned int` and `char *text`: no type in Rust has a
/// word or a star after a name. Whatever else is wrong is the compiler's to say.
fn not_a_type(ty: TokenStream) -> Option<Span> {
    const NOT_NAMES: [&str; 9] =
        ["as", "const", "dyn", "extern", "fn", "for", "impl", "mut", "unsafe"];
    let mut after_name = false;
    let mut in_lifetime = false;
    for token in ty {
        let text = token.to_string();
        let is_name =
            matches!(token, TokenTree::Ident(_)) && !in_lifetime && !NOT_NAMES.contains(&&*text);
        if after_name && (is_name || text == "*") {
            return Some(token.span());
        }
        after_name = is_name;
        in_lifetime = text == "'";
    }
    None
}

/// A `cfg` on an argument would have to reach every place where the argument is passed on.
fn documentation(input: &mut Cursor) -> Result<()> {
    while input.mark('#') {
        let Some(group) = input.group(Delimiter::Bracket) else {
            return input.error(Message::ArgumentType);
        };
        let content = Cursor::opened(group.stream(), group.span_open());
        if !content.is_word(0, "doc") {
            return content.error(Message::ArgumentAttribute);
        }
    }
    Ok(())
}

/// `name:`, but not `path::`; `None` for `_:` and for a type alone.
fn argument_name(input: &mut Cursor) -> Result<Option<Ident>> {
    if input.is_word(0, "self") || (input.is_mark(0, '&') && input.is_word(1, "self")) {
        return input.error(Message::Receiver);
    }
    let colon = matches!(
        input.peek(1),
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Alone
    );
    if !colon {
        return Ok(None);
    }
    let Some(name) = input.ident() else { return input.error(Message::ArgumentType) };
    input.next();
    Ok(Some(name).filter(|name| name.to_string() != "_"))
}

/// The type after `->`, or `()`.
pub(crate) fn output(input: &mut Cursor) -> Result<TokenStream> {
    if input.is_empty() {
        return Ok(TokenTree::Group(Group::new(Delimiter::Parenthesis, TokenStream::new())).into());
    }
    if !input.is_arrow(0) {
        return input.error(Message::ExpectedResult);
    }
    input.next();
    input.next();
    let output = input.rest();
    let mut begin = Cursor::opened(output.clone(), input.span());
    if begin.is_empty() {
        return begin.error(Message::ExpectedResult);
    }
    if begin.is_mark(0, '!') {
        return begin.error(Message::NeverReturns);
    }
    while !begin.is_empty() && !is_function(&begin) {
        let borrows = begin.is_mark(0, '&') && !begin.is_mark(1, '\'');
        if borrows || (begin.is_mark(0, '\'') && !begin.is_word(1, "static")) {
            return begin.error(Message::BorrowedResult);
        }
        begin.next();
    }
    Ok(output)
}
