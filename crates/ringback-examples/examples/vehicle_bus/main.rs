// SPDX-License-Identifier: MIT OR Apache-2.0

//! Thousands of Rust listeners on a C++ message bus whose handlers are bare function pointers.
//!
//! Each listener is behind a pooled C function. It is an async one: the function copies the message
//! into the listener's mailbox on the bus's thread, and tokio runs the listener; `--kind sync` has the
//! bus's threads run it. While messages flow, one listener in ten is unregistered and registered anew,
//! and the bus goes on calling copies of the old handlers. At the end every message is accounted for,
//! none may have reached a listener that it was not sent to, and none may have come out of order.

mod bus;
mod delivery;
mod latency;
mod listeners;
mod options;
mod order;
mod progress;
mod report;
mod traffic;

use listeners::{Failure, ON_MESSAGE, ON_MESSAGE_REUSED};
use options::{Options, Request};
use report::Outcome;
use ringback::Reuse;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let options = match options::parse(lexopt::Parser::from_env()) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(remedy) => {
            eprintln!("vehicle_bus: {remedy}");
            return ExitCode::from(2);
        }
    };
    // On a thread of its own: std never frees what it notes of the main one, and valgrind says so.
    let outcome = match thread::spawn(move || job(&options)).join() {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            eprintln!("vehicle_bus: {error}");
            return ExitCode::FAILURE;
        }
        Err(panic) => resume_unwind(panic),
    };
    print!("{outcome}");
    let complaints = outcome.complaints();
    for complaint in &complaints {
        eprintln!("vehicle_bus: {complaint}");
    }
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn job(options: &Options) -> Result<Outcome, Failure> {
    match options.reuse {
        Reuse::OldestFirst => traffic::run::<ON_MESSAGE_REUSED>(options),
        _ => traffic::run::<ON_MESSAGE>(options),
    }
}
