// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every message of the macro, in one table.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use std::fmt;

/// What is wrong with a declaration. The text says the remedy.
#[derive(Debug)]
pub(crate) enum Message {
    ExpectedStatic,
    ExpectedName,
    StaticMut,
    ExpectedPoolType,
    UnclosedPool,
    ExpectedSlots,
    NoSlots,
    ExpectedArguments,
    ExpectedResult,
    ExpectedSemicolon { after: &'static str },
    UnsupportedAbi(String),
    RustAbi,
    Variadic,
    Receiver,
    ArgumentType,
    ArgumentAttribute,
    NeverReturns,
    BorrowedResult,
    TypeParameters,
    SafeBorrow,
    MissingFallback,
    ExpectedOption,
    UnknownOption(String),
    RepeatedOption(String),
    EmptyOption(String),
    BadReuse,
    BadProtection,
    BadCountCalls,
    BadExport,
    PropagateNeedsUnwind,
    BadWait,
    SecondPool,
    ExpectedStruct,
    ExpectedCallback,
    CallbackGenerics,
    CallbackAbi,
    CallbackAttribute,
    AsyncBorrow,
    SecondCallback,
}

const OPTIONS: &str =
    "fallback, on_panic, on_busy, on_wrong_thread, reuse, protection, count_calls, export";

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Message as M;
        match self {
            M::ExpectedStatic => f.write_str(
                "expected a pool: `pub static NAME: Pool<unsafe extern \"C\" fn(..) -> .., 100>;`",
            ),
            M::ExpectedName => f.write_str("expected the pool's name: `static NAME: Pool<..>;`"),
            M::StaticMut => f.write_str("a pool is shared by all threads: remove `mut`"),
            M::ExpectedPoolType => f.write_str(
                "expected `: Pool<function type, number of slots>`, such as \
                 `: Pool<unsafe extern \"C\" fn(i32) -> i32, 100>`",
            ),
            M::UnclosedPool => f.write_str("expected `>` to close `Pool<function type, slots`, then `;`"),
            M::ExpectedSlots => f.write_str(
                "expected the number of slots: `Pool<.., 100>`, or `Pool<.., { expression }>`",
            ),
            M::NoSlots => f.write_str("a pool needs at least one slot"),
            M::ExpectedArguments => f.write_str("expected the arguments: `fn(Type, name: Type)`"),
            M::ExpectedResult => f.write_str("expected what the functions return: `-> Type`"),
            M::ExpectedSemicolon { after } => write!(f, "expected `;` after {after}"),
            M::UnsupportedAbi(abi) => write!(
                f,
                "the ABI {abi} is not supported: use \"C\", \"system\", \"C-unwind\" or \
                 \"system-unwind\""
            ),
            M::RustAbi => f.write_str(
                "a pool holds C functions: write `unsafe extern \"C\" fn(..)`",
            ),
            M::Variadic => f.write_str(
                "variadic functions cannot be pooled, since Rust cannot define one: write the \
                 arguments out, or forward from a C function that reads its `va_list`",
            ),
            M::Receiver => f.write_str("C functions have no `self`: pass a pointer"),
            M::ArgumentType => f.write_str(
                "expected an argument in Rust's notation: `name: Type` or `Type`",
            ),
            M::ArgumentAttribute => f.write_str(
                "an argument takes documentation only: put other attributes on the pool; where a \
                 `cfg` decides about an argument, declare two pools",
            ),
            M::NeverReturns => f.write_str(
                "a listener that never returns cannot be retired: let the function return `()`",
            ),
            M::BorrowedResult => f.write_str(
                "the result cannot borrow from the arguments, since a fallback has none to borrow \
                 from: return a raw pointer, or `&'static`",
            ),
            M::TypeParameters => f.write_str(
                "`for<..>` takes lifetimes only, without bounds: a C function has one type",
            ),
            M::SafeBorrow => f.write_str(
                "a reference trusts its caller, so the function must be unsafe to call: write \
                 `unsafe extern`",
            ),
            M::MissingFallback => f.write_str(
                "the pool's functions return a value, so a stale call needs an answer: add \
                 `fallback = <value>;` (zero means success in most C APIs)",
            ),
            M::ExpectedOption => write!(f, "expected an option, `name = value;`: {OPTIONS}"),
            M::UnknownOption(name) => write!(f, "unknown option `{name}`; there are: {OPTIONS}"),
            M::RepeatedOption(name) => write!(f, "option `{name}` is given twice: remove one"),
            M::EmptyOption(name) => write!(f, "option `{name}` has no value: `{name} = value;`"),
            M::BadReuse => f.write_str("`reuse` is never, after_confirmation or oldest_first"),
            M::BadProtection => f.write_str("`protection` is auto or counter"),
            M::BadExport => f.write_str(
                "`export` is the functions' name with `{}` in the place of the slot's number, of letters, \
                 digits and `_`: `export = \"on_message_{}\"`",
            ),
            M::BadCountCalls => f.write_str("`count_calls` is true or false"),
            M::PropagateNeedsUnwind => f.write_str(
                "a panic may only unwind into callers of `extern \"C-unwind\"` functions: write the \
                 pool's type out with that ABI, or answer with a value",
            ),
            M::BadWait => f.write_str(
                "expected `wait(duration, value)`: how long to wait, and what to answer then",
            ),
            M::ExpectedStruct => {
                f.write_str("expected a callback type: `pub struct NAME: fn(value: bool) -> i32`")
            }
            M::ExpectedCallback => f.write_str(
                "expected what is called: `: fn(value: bool) -> i32`, or `: async fn(id: u32) -> i64`",
            ),
            M::CallbackGenerics => f.write_str(
                "a struct that crosses to C has no parameters: declare one for each signature, and \
                 write lifetimes as `for<'a> fn(&'a Message)`",
            ),
            M::CallbackAbi => f.write_str(
                "write `fn(..)` alone: a callback has the calling convention of ringback's ABI, and \
                 adopting it makes it safe to call",
            ),
            M::CallbackAttribute => f.write_str(
                "the struct owns a foreign reference, so its layout and traits are ringback's: of \
                 attributes it takes documentation, `cfg`, lint levels, `deprecated` and `must_use`",
            ),
            M::AsyncBorrow => f.write_str(
                "what an async callback is given is used after the call has returned: pass it by \
                 value, or a raw pointer to what lives long enough",
            ),
            M::SecondCallback => f.write_str(
                "one callback type at a time: declare this in a `callback_type!` of its own",
            ),
            M::SecondPool => f.write_str("one pool at a time: declare this in a `callback_pool!` of its own"),
        }
    }
}

/// One message at one place.
#[derive(Debug)]
pub(crate) struct Error {
    message: Message,
    span: Span,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(message: Message, span: Span) -> Self {
        Error { message, span }
    }

    /// `::core::compile_error! { "message" }`, spanned at the place.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let at = |mut token: TokenTree| {
            token.set_span(self.span);
            token
        };
        let colons = || {
            [at(Punct::new(':', Spacing::Joint).into()), at(Punct::new(':', Spacing::Alone).into())]
        };
        let text = at(Literal::string(&self.message.to_string()).into());
        let mut tokens = Vec::from(colons());
        tokens.push(at(Ident::new("core", self.span).into()));
        tokens.extend(colons());
        tokens.push(at(Ident::new("compile_error", self.span).into()));
        tokens.push(at(Punct::new('!', Spacing::Alone).into()));
        tokens.push(at(Group::new(Delimiter::Brace, text.into()).into()));
        tokens.into_iter().collect()
    }
}
