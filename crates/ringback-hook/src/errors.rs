// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every message of the macros, in one table.

use proc_macro2::Span;
use std::fmt;

/// What is wrong. The text says the remedy.
#[derive(Debug)]
pub(crate) enum Message {
    NotAFunction,
    NotAsync,
    Unreadable,
    NotAnAttribute,
    UnknownOption(String),
    RepeatedOption(String),
    ExpectedCrate,
    ExpectedStack,
    ExpectedSlot,
    FunctionOption(&'static str),
    SyncLocal(&'static str),
    SlotWithStatic,
    InstrumentBelow(&'static str),
    NotAClosure,
    ClosureNotAsync,
    NoBody,
}

const OPTIONS: &str = "?Send, Sync, crate = path, slot, stack = bytes";

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Message as M;
        match self {
            M::NotAFunction => f.write_str(
                "`#[hook]` goes onto an `async fn`: in an impl or a trait put it onto each function",
            ),
            M::NotAsync => f.write_str(
                "a hook is an `async fn`: write `async fn`, or store this function as it is",
            ),
            M::Unreadable => f.write_str(
                "the signature cannot be read here: correct it, or give newer syntax a name by \
                 `type` and use that",
            ),
            M::NotAnAttribute => f.write_str(
                "expected an attribute: `#[name]` in front, `#![name]` at the body's beginning",
            ),
            M::UnknownOption(name) => write!(f, "unknown option `{name}`; there are: {OPTIONS}"),
            M::RepeatedOption(name) => write!(f, "option `{name}` is given twice: remove one"),
            M::ExpectedCrate => f.write_str("expected ringback's path: `crate = some::path`"),
            M::ExpectedStack => {
                f.write_str("expected the bytes to keep in the future itself: `stack = 256`")
            }
            M::ExpectedSlot => f.write_str("expected the second function's name: `slot = name`"),
            M::FunctionOption(name) => write!(
                f,
                "`{name}` is for functions: write an `async fn` with `#[hook({name})]`"
            ),
            M::SyncLocal(name) => write!(
                f,
                "with `?Send` what `{name}` returns is not `Sync`: remove `Sync`, `?Send` or `{name}`"
            ),
            M::SlotWithStatic => f.write_str(
                "`slot` makes two functions of this body, so there would be two of this `static`: \
                 move it out of the function",
            ),
            M::InstrumentBelow(form) => write!(
                f,
                "put `instrument` above the hook: below, the span is entered when `{form}` makes the \
                 future, not when that is polled"
            ),
            M::NotAClosure => f.write_str("expected a closure: `hook!(async move |x: &i32| ..)`"),
            M::ClosureNotAsync => {
                f.write_str("the closure must be async: write `async |..|` or `async move |..|`")
            }
            M::NoBody => f.write_str("expected what the closure does: `async move |..| ..`"),
        }
    }
}

impl Message {
    pub(crate) fn at(self, span: Span) -> syn::Error {
        syn::Error::new(span, self)
    }
}
