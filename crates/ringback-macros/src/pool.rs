//! `callback_pool!`: from the declaration to the parts that `ringback::__pool!` takes.

use crate::cursor::{Cursor, place};
use crate::errors::{Error, Message, Result};
use proc_macro::{
    Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree,
};

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let mut input = Cursor::new(input, Span::call_site());
    let root = input.group(Delimiter::Bracket).map(|group| group.stream()).unwrap_or_default();
    let declaration = Declaration::parse(&mut input)?;
    let options = Options::parse(&mut input, &declaration)?;
    Ok(emit(&root, &declaration, &options))
}

/// `#[..] pub static NAME: Pool<pointer, slots>;`
struct Declaration {
    attributes: TokenStream,
    visibility: TokenStream,
    name: Ident,
    pointer: Pointer,
    slots: TokenStream,
}

enum Pointer {
    Written(Function),
    Named(TokenStream),
}

/// `for<'a> unsafe extern "C" fn(..) -> ..`
struct Function {
    tokens: TokenStream,
    lifetimes: TokenStream,
    safety: Option<TokenTree>,
    abi: Literal,
    arguments: Vec<Argument>,
    output: TokenStream,
    /// Where to point at when the output is wrong.
    output_span: Span,
}

struct Argument {
    name: Ident,
    ty: TokenStream,
    is_function: bool,
}

impl Declaration {
    fn parse(input: &mut Cursor) -> Result<Self> {
        let attributes = attributes(input);
        let visibility = visibility(input);
        if input.word("static").is_none() {
            return input.error(Message::ExpectedStatic);
        }
        if input.is_word(0, "mut") {
            return input.error(Message::StaticMut);
        }
        let Some(name) = input.ident() else { return input.error(Message::ExpectedName) };
        if !input.mark(':') {
            return input.error(Message::ExpectedPoolType);
        }
        let pool = input.span();
        if input.word("Pool").is_none() || !input.mark('<') {
            return Err(Error::new(Message::ExpectedPoolType, pool));
        }
        let pointer = input.until(|at| at.is_mark(0, ',') || at.is_mark(0, ';') || at.is_mark(0, '>'));
        let pointer = Pointer::parse(pointer, pool)?;
        if !input.mark(',') {
            return input.error(Message::ExpectedSlots);
        }
        let span = input.span();
        let slots = input.until(|at| at.is_mark(0, '>') || at.is_mark(0, ';'));
        if slots.is_empty() {
            return Err(Error::new(Message::ExpectedSlots, span));
        }
        if matches!(slots.to_string().as_str(), "0" | "0usize") {
            return Err(Error::new(Message::NoSlots, span));
        }
        if !input.mark('>') {
            return input.error(Message::UnclosedPool);
        }
        if !input.mark(';') {
            return input.error(Message::ExpectedSemicolon { after: "the pool's type" });
        }
        Ok(Declaration { attributes, visibility, name, pointer, slots })
    }
}

fn attributes(input: &mut Cursor) -> TokenStream {
    let mut taken = Vec::new();
    while input.is_mark(0, '#') {
        taken.extend(input.next());
        taken.extend(input.next());
    }
    taken.into_iter().collect()
}

fn visibility(input: &mut Cursor) -> TokenStream {
    let mut taken = Vec::new();
    // A visibility that a `macro_rules` macro captured comes in an invisible group.
    if let Some(group) = input.group(Delimiter::None) {
        taken.push(TokenTree::Group(group));
    } else if input.is_word(0, "pub") {
        taken.extend(input.next());
        taken.extend(input.group(Delimiter::Parenthesis).map(TokenTree::Group));
    }
    taken.into_iter().collect()
}

impl Pointer {
    fn parse(tokens: TokenStream, before: Span) -> Result<Self> {
        let mut input = Cursor::new(tokens.clone(), before);
        if input.is_empty() {
            return Err(Error::new(Message::ExpectedPoolType, before));
        }
        let starts_function = ["for", "unsafe", "extern", "fn"];
        if !starts_function.iter().any(|word| input.is_word(0, word)) {
            return Ok(Pointer::Named(tokens));
        }
        let lifetimes = lifetimes(&mut input)?;
        let safety = if input.is_word(0, "unsafe") { input.next() } else { None };
        let abi = abi(&mut input)?;
        if input.word("fn").is_none() {
            return input.error(Message::RustAbi);
        }
        let span = input.span();
        let Some(list) = input.group(Delimiter::Parenthesis) else {
            return Err(Error::new(Message::ExpectedPoolType, span));
        };
        let arguments = arguments(&list, safety.is_none())?;
        let output_span = input.span();
        let output = output(&mut input)?;
        Ok(Pointer::Written(Function {
            tokens,
            lifetimes,
            safety,
            abi,
            arguments,
            output,
            output_span,
        }))
    }
}

fn lifetimes(input: &mut Cursor) -> Result<TokenStream> {
    if input.word("for").is_none() {
        return Ok(TokenStream::new());
    }
    input.mark('<');
    let lifetimes = input.until(|at| at.is_mark(0, '>'));
    input.mark('>');
    let mut at = Cursor::new(lifetimes.clone(), input.span());
    while !at.is_empty() {
        if !at.mark('\'') {
            return at.error(Message::TypeParameters);
        }
        at.next();
        if !at.mark(',') && !at.is_empty() {
            return at.error(Message::TypeParameters);
        }
    }
    Ok(without_last_comma(lifetimes))
}

fn without_last_comma(tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
        tokens.pop();
    }
    tokens.into_iter().collect()
}

fn abi(input: &mut Cursor) -> Result<Literal> {
    if input.word("extern").is_none() {
        return input.error(Message::RustAbi);
    }
    let Some(TokenTree::Literal(abi)) = input.peek(0).cloned() else {
        return Ok(Literal::string("C"));
    };
    match abi.to_string().as_str() {
        "\"C\"" | "\"system\"" | "\"C-unwind\"" | "\"system-unwind\"" => {
            input.next();
            Ok(abi)
        }
        "\"Rust\"" => input.error(Message::RustAbi),
        other => input.error(Message::UnsupportedAbi(other.to_owned())),
    }
}

fn arguments(list: &Group, safe: bool) -> Result<Vec<Argument>> {
    let mut input = Cursor::new(list.stream(), list.span_open());
    let mut arguments = Vec::new();
    while !input.is_empty() {
        attributes(&mut input); // such as a lint attribute: without effect in a type
        if input.is_mark(0, '.') {
            return input.error(Message::Variadic);
        }
        if input.is_word(0, "self") || (input.is_mark(0, '&') && input.is_word(1, "self")) {
            return input.error(Message::Receiver);
        }
        // `name: Type`, but not `path::Type`.
        let named = matches!(input.peek(0), Some(TokenTree::Ident(_)))
            && input.is_mark(1, ':')
            && !input.is_mark(2, ':');
        let mut name = None;
        if named {
            name = input.ident().filter(|name| name.to_string() != "_");
            input.next();
        }
        let span = input.span();
        if input.is_mark(0, '.') {
            return input.error(Message::Variadic);
        }
        let is_function = is_function(&input);
        if safe && input.is_mark(0, '&') {
            return input.error(Message::SafeBorrow);
        }
        let ty = input.until(|at| at.is_mark(0, ','));
        if ty.is_empty() {
            return Err(Error::new(Message::ArgumentType, span));
        }
        let name = name.unwrap_or_else(|| {
            Ident::new(&format!("argument_{}", arguments.len()), Span::mixed_site())
        });
        arguments.push(Argument { name, ty, is_function });
        input.mark(',');
    }
    Ok(arguments)
}

/// Whether a function-pointer type begins here, perhaps one that borrows: no trait sees those.
fn is_function(input: &Cursor) -> bool {
    ["unsafe", "extern", "fn"].iter().any(|word| input.is_word(0, word))
        || (input.is_word(0, "for") && input.is_mark(1, '<'))
}

fn output(input: &mut Cursor) -> Result<TokenStream> {
    if !input.is_arrow(0) {
        if !input.is_empty() {
            return input.error(Message::UnclosedPool);
        }
        return Ok(TokenTree::Group(Group::new(Delimiter::Parenthesis, TokenStream::new())).into());
    }
    input.next();
    input.next();
    if input.is_mark(0, '!') {
        return input.error(Message::NeverReturns);
    }
    if input.is_mark(0, '&') && !(input.is_mark(1, '\'') && input.is_word(2, "static")) {
        return input.error(Message::BorrowedResult);
    }
    let output = input.until(|_| false);
    if output.is_empty() {
        return input.error(Message::ExpectedPoolType);
    }
    Ok(output)
}

/// The options, each a ready expression or word.
struct Options {
    fallback: TokenStream,
    on_panic: (&'static str, TokenStream),
    busy_wait: TokenStream,
    on_busy: TokenStream,
    on_wrong_thread: TokenStream,
    reuse: &'static str,
    always_counted: &'static str,
    count_calls: &'static str,
}

const NAMES: [&str; 7] =
    ["fallback", "on_panic", "on_busy", "on_wrong_thread", "reuse", "protection", "count_calls"];

impl Options {
    fn parse(input: &mut Cursor, declaration: &Declaration) -> Result<Self> {
        let mut given: [Option<TokenStream>; 7] = Default::default();
        while !input.is_empty() {
            let span = input.span();
            let Some(name) = input.ident() else { return input.error(Message::ExpectedOption) };
            let name = name.to_string();
            let Some(place) = NAMES.iter().position(|known| *known == name) else {
                return Err(Error::new(Message::UnknownOption(name), span));
            };
            if given[place].is_some() {
                return Err(Error::new(Message::RepeatedOption(name), span));
            }
            if !input.mark('=') {
                return input.error(Message::EmptyOption(name));
            }
            let mut value = Vec::new();
            while !input.is_empty() && !input.is_mark(0, ';') {
                value.extend(input.next());
            }
            if value.is_empty() {
                return input.error(Message::EmptyOption(name));
            }
            if !input.mark(';') {
                return input.error(Message::ExpectedSemicolon { after: "an option" });
            }
            given[place] = Some(value.into_iter().collect());
        }
        let [fallback, on_panic, on_busy, on_wrong_thread, reuse, protection, count_calls] = given;

        let fallback = match (fallback, &declaration.pointer) {
            (Some(value), _) => value,
            (None, Pointer::Written(function)) if function.output.to_string() == "()" => {
                function.output.clone()
            }
            (None, Pointer::Written(function)) => {
                let message = Message::MissingFallback(function.output.to_string());
                return Err(Error::new(message, place(&function.output, function.output_span)));
            }
            (None, Pointer::Named(_)) => TokenStream::new(), // `emit` asks the type
        };
        let (busy_wait, on_busy) = busy(on_busy, &fallback)?;
        Ok(Options {
            on_panic: panic_policy(on_panic, &fallback, &declaration.pointer)?,
            busy_wait,
            on_busy,
            on_wrong_thread: on_wrong_thread.unwrap_or_else(|| fallback.clone()),
            reuse: choice(
                reuse,
                &[
                    ("after_confirmation", "AfterConfirmation"),
                    ("never", "Never"),
                    ("oldest_first", "OldestFirst"),
                ],
                Message::BadReuse,
            )?,
            always_counted: choice(
                protection,
                &[("auto", "false"), ("counter", "true")],
                Message::BadProtection,
            )?,
            count_calls: choice(
                count_calls,
                &[("false", "false"), ("true", "true")],
                Message::BadCountCalls,
            )?,
            fallback,
        })
    }
}

/// One word of several; the first is the default.
fn choice(
    given: Option<TokenStream>,
    choices: &[(&str, &'static str)],
    message: Message,
) -> Result<&'static str> {
    let Some(given) = given else { return Ok(choices[0].1) };
    let text = given.to_string();
    match choices.iter().find(|(word, _)| *word == text) {
        Some((_, meaning)) => Ok(meaning),
        None => Err(Error::new(message, place(&given, Span::call_site()))),
    }
}

fn panic_policy(
    given: Option<TokenStream>,
    fallback: &TokenStream,
    pointer: &Pointer,
) -> Result<(&'static str, TokenStream)> {
    let Some(given) = given else { return Ok(("Answer", fallback.clone())) };
    match given.to_string().as_str() {
        "abort" => Ok(("Abort", fallback.clone())),
        "propagate" => match pointer {
            Pointer::Written(function) if function.abi.to_string().ends_with("-unwind\"") => {
                Ok(("Propagate", fallback.clone()))
            }
            _ => Err(Error::new(
                Message::PropagateNeedsUnwind,
                place(&given, Span::call_site()),
            )),
        },
        _ => Ok(("Answer", given)),
    }
}

/// `value`, or `wait(duration, value)`.
fn busy(given: Option<TokenStream>, fallback: &TokenStream) -> Result<(TokenStream, TokenStream)> {
    let at_once = || parse("::core::time::Duration::ZERO");
    let Some(given) = given else { return Ok((at_once(), fallback.clone())) };
    let mut input = Cursor::new(given.clone(), Span::call_site());
    let span = input.span();
    if input.word("wait").is_none() {
        return Ok((at_once(), given));
    }
    let Some(list) = input.group(Delimiter::Parenthesis) else { return Ok((at_once(), given)) };
    if !input.is_empty() {
        return Ok((at_once(), given)); // `wait(..)` is the beginning of an expression
    }
    let mut list = Cursor::new(list.stream(), list.span_open());
    let duration = list.until(|at| at.is_mark(0, ','));
    if duration.is_empty() || !list.mark(',') || list.is_empty() {
        return Err(Error::new(Message::BadWait, span));
    }
    Ok((duration, list.until(|_| false)))
}

fn parse(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

/// Builds the call of `ringback::__pool!` token by token, so that the user's keep their places.
struct Output(Vec<TokenTree>);

impl Output {
    fn tokens(&mut self, tokens: &TokenStream) -> &mut Self {
        self.0.extend(tokens.clone());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend(parse(text));
        self
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream) -> &mut Self {
        self.0.push(Group::new(delimiter, tokens).into());
        self
    }

    fn part(&mut self, name: &str, value: TokenStream) -> &mut Self {
        self.text(name).group(Delimiter::Bracket, value)
    }
}

fn emit(root: &TokenStream, declaration: &Declaration, options: &Options) -> TokenStream {
    let Declaration { attributes, visibility, name, pointer, slots } = declaration;
    let mut body = Output(Vec::new());
    body.tokens(attributes).group(Delimiter::Bracket, visibility.clone());
    body.0.push(name.clone().into());

    let mut fallback = options.fallback.clone();
    let entry = match pointer {
        Pointer::Written(function) => {
            body.part("pointer", function.tokens.clone());
            body.part("safety", function.safety.clone().into_iter().collect());
            body.part("abi", TokenTree::Literal(function.abi.clone()).into());
            body.part("lifetimes", function.lifetimes.clone());
            body.part("arguments", arguments_part(&function.arguments));
            body.part("output", function.output.clone());
            "__pool"
        }
        Pointer::Named(named) => {
            body.part("pointer", named.clone());
            if fallback.is_empty() {
                fallback = ask_the_type(root, named);
            }
            "__pool_alias"
        }
    };
    let or_fallback = |value: &TokenStream| if value.is_empty() { fallback.clone() } else { value.clone() };

    let mut on_panic = Output(Vec::new());
    on_panic.text(options.on_panic.0).tokens(&or_fallback(&options.on_panic.1));
    let mut on_busy = Output(Vec::new());
    on_busy.tokens(&options.busy_wait).text(",").tokens(&or_fallback(&options.on_busy));

    body.part("slots", slots.clone())
        .part("fallback", fallback.clone())
        .part("on_panic", on_panic.0.into_iter().collect())
        .part("on_busy", on_busy.0.into_iter().collect())
        .part("on_wrong_thread", or_fallback(&options.on_wrong_thread))
        .part("reuse", parse(options.reuse))
        .part("always_counted", parse(options.always_counted))
        .part("count_calls", parse(options.count_calls));

    let mut call = Output(Vec::new());
    call.tokens(root).text("::").text(entry).text("!");
    call.group(Delimiter::Brace, body.0.into_iter().collect());
    call.0.into_iter().collect()
}

/// `name: Type, probe;` for each; `function` in the place of `probe` for function pointers.
fn arguments_part(arguments: &[Argument]) -> TokenStream {
    let mut part = Output(Vec::new());
    for Argument { name, ty, is_function } in arguments {
        part.0.push(name.clone().into());
        part.0.push(Punct::new(':', Spacing::Alone).into());
        part.tokens(ty).text(if *is_function { ", function ;" } else { ", probe ;" });
    }
    part.0.into_iter().collect()
}

/// The fallback of an alias that gives none: `()` if that is what it returns, else an error at the
/// alias.
fn ask_the_type(root: &TokenStream, named: &TokenStream) -> TokenStream {
    let mut pointer = Output(Vec::new());
    pointer.text("<<").tokens(named).text("as").tokens(root).text("::__private::FnPointer>::Shape as");
    pointer.tokens(root).text("::__private::Shape>::Output");
    let mut call = Output(Vec::new());
    call.tokens(root).text("::__private::unit_answer::<").tokens(&pointer.0.into_iter().collect());
    call.text(">()");
    let span = place(named, Span::call_site());
    call.0.into_iter().map(|mut token| {
        token.set_span(span.resolved_at(token.span()));
        token
    }).collect()
}
