// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the command line asks for.

use crate::listeners::MOST_LISTENERS;
use lexopt::{Arg, Parser, ValueExt};
use ringback::Reuse;
use std::ops::RangeInclusive;

pub(crate) const HELP: &str = "\
Sends messages over a C++ bus to Rust listeners behind pooled C functions, and checks each one.
The listeners are async ones, on tokio, unless told otherwise.

Usage: cargo run --release --example vehicle_bus -- [OPTIONS]

Options:
  --listeners N   listeners, each with a key of its own, 1 to 10000 [default: 5000]
  --messages N    messages, sent to the listeners in turn [default: 1000000]
  --threads N     dispatcher threads of the bus, 1 to 64 [default: 2]
  --kind KIND     what the listeners are [default: async]
                    async  each has a bounded mailbox; tokio runs it, one message at a time, in
                           the order of each dispatcher thread
                    sync   each is called on the bus's dispatcher threads, by several at once
  --reuse POLICY  when a C function may serve another listener [default: after-confirmation]
                    after-confirmation  once the bus has forgotten it
                    oldest-first        at once, which is wrong here: this shows that the check
                                        finds misdelivered messages
  --help          this text

The sender is as fast as the bus lets it, so latencies are those of queues that are never empty.

Exit code: 0 if every message is accounted for, none was misdelivered and none came out of order, 1
if not, 2 for a bad option.
";

const _: () = assert!(MOST_LISTENERS == 10_000, "as HELP says");

const LISTENERS: RangeInclusive<u64> = 1..=MOST_LISTENERS as u64;
const MESSAGES: RangeInclusive<u64> = 1..=1_000_000_000_000;
const THREADS: RangeInclusive<u64> = 1..=64;

/// What the listeners are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Fed through mailboxes, and run by tokio.
    Async,
    /// Called on the bus's own threads.
    Sync,
}

/// The size of the job.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listeners: usize,
    pub(crate) messages: u64,
    pub(crate) threads: usize,
    pub(crate) kind: Kind,
    pub(crate) reuse: Reuse,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Request {
    Run(Options),
    Help,
}

/// Reads the command line; an error is one line that says the remedy.
pub(crate) fn parse(mut arguments: Parser) -> Result<Request, String> {
    let mut options = Options {
        listeners: 5_000,
        messages: 1_000_000,
        threads: 2,
        kind: Kind::Async,
        reuse: Reuse::AfterConfirmation,
    };
    while let Some(argument) = arguments.next().map_err(see_help)? {
        match argument {
            Arg::Long("listeners") => {
                options.listeners = number(&mut arguments, "--listeners", LISTENERS)? as usize;
            }
            Arg::Long("messages") => {
                options.messages = number(&mut arguments, "--messages", MESSAGES)?;
            }
            Arg::Long("threads") => {
                options.threads = number(&mut arguments, "--threads", THREADS)? as usize;
            }
            Arg::Long("kind") => options.kind = kind(&mut arguments)?,
            Arg::Long("reuse") => options.reuse = reuse(&mut arguments)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            _ => return Err(see_help(argument.unexpected())),
        }
    }
    Ok(Request::Run(options))
}

fn see_help(error: lexopt::Error) -> String {
    format!("{error}; --help lists the options")
}

fn number(arguments: &mut Parser, option: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let text = arguments.value().map_err(see_help)?.to_string_lossy().into_owned();
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let (least, most) = range.into_inner();
            Err(format!("{option} {text}: give a whole number from {least} to {most}"))
        }
    }
}

fn kind(arguments: &mut Parser) -> Result<Kind, String> {
    let kind = arguments.value().and_then(ValueExt::string).map_err(see_help)?;
    match kind.as_str() {
        "async" => Ok(Kind::Async),
        "sync" => Ok(Kind::Sync),
        _ => Err(format!("--kind {kind}: give async or sync")),
    }
}

fn reuse(arguments: &mut Parser) -> Result<Reuse, String> {
    let policy = arguments.value().and_then(ValueExt::string).map_err(see_help)?;
    match policy.as_str() {
        "after-confirmation" => Ok(Reuse::AfterConfirmation),
        "oldest-first" => Ok(Reuse::OldestFirst),
        _ => Err(format!("--reuse {policy}: give after-confirmation or oldest-first")),
    }
}
