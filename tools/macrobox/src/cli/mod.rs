// SPDX-License-Identifier: MIT OR Apache-2.0

//! The cargo subcommand: `cargo macrobox TASK`.

mod check;
mod expand;
mod grow;
mod list;
mod profile;
mod recursive;
mod report;
mod selftest;
mod server;
mod session;
mod trace;
mod wanted;

use crate::cargo::Selection;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Procedural macros in a box: listed, expanded, limited and timed outside the compiler.
///
/// Macros run in a closed-in process each: no network, no programs, no writes outside a scratch
/// folder, limits on time and memory.
///
/// What stays unboxed: `cargo build` itself stays as it is. `check`, `profile`, `selftest` and
/// `expand --macro` or `--at`, `trace --at` and `debug --at` compile the crate once to learn its calls,
/// which runs its macros and build scripts in rustc as every build does. `list` and calls given as text
/// have cargo check the package, or the workspace, with all that it depends on, to find its macro crates:
/// that runs its own macros too. A call given as text whose name no macro crate has compiles the crate once
/// more. None of these compilations has a time limit.
/// `debug` and `--server toolchain` have no box.
#[derive(Debug, Parser)]
#[command(name = "cargo macrobox", bin_name = "cargo macrobox", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    options: BoxOptions,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Show every macro of the macro crates that a package uses
    List {
        /// A package of the workspace, or a dependency; without it, the whole workspace
        package: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Expand one call, or all calls of a macro in a crate
    Expand(expand::Arguments),
    /// Show each call that a macro makes over the compiler's bridge
    #[command(override_usage = "cargo macrobox trace [OPTIONS] <CALL|--at FILE:LINE>")]
    Trace(trace::Arguments),
    /// Expand one call without limits, after waiting for a debugger
    #[command(override_usage = "cargo macrobox debug [OPTIONS] <CALL|--at FILE:LINE>")]
    Debug(trace::Arguments),
    /// Time every call in a crate, or one call as it grows
    Profile(profile::Arguments),
    /// Say what macros touch, and whether their output varies
    Check(check::Arguments),
    /// Serve rust-analyzer in place of the toolchain's server
    Server(server::Arguments),
    /// Replay a crate's recorded calls and compare with what the compiler got
    Selftest(selftest::Arguments),
}

/// What the box lets through, and its limits.
#[derive(Debug, Clone, Args)]
struct BoxOptions {
    /// Let the macro do this: net, exec
    #[arg(long, global = true, value_delimiter = ',', value_parser = ["net", "exec"])]
    allow: Vec<String>,
    /// Let the macro write below this folder
    #[arg(long, global = true, value_name = "FOLDER")]
    allow_write: Vec<PathBuf>,
    /// Give the macro this environment variable, beside what cargo gives it
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Go on where the kernel cannot enforce the box
    #[arg(long, global = true)]
    allow_weak: bool,
    /// Milliseconds that one expansion may take; where `check` runs calls together in one process, times
    /// twice their number
    #[arg(long, global = true, default_value_t = 10_000, value_name = "MS",
          value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Megabytes of memory that one expansion may use [default: 4096, or half of the memory available
    /// if that is less]
    #[arg(long, global = true, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    memory: Option<u64>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write it as NAME=VALUE".into()),
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // A closed pipe ends the program quietly, as other tools do.
    // SAFETY: the default action of a signal, set before any thread is started.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    if let Some(code) = crate::wrapped() {
        return code;
    }
    crate::interrupt::watch();
    // As a subcommand, cargo gives the subcommand's name first.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "macrobox") {
        arguments.remove(1);
    }
    // rust-analyzer starts its server with its own arguments only.
    let own = std::env::var_os("RUST_ANALYZER_INTERNALS_DO_NOT_USE").is_some();
    if own && arguments.get(1).is_none_or(|first| first.to_string_lossy().starts_with("--format")) {
        arguments.insert(1, "server".into());
    }
    let Arguments { task, selection, options } = Arguments::parse_from(arguments);
    let ended = match task {
        Task::List { package, json } => list::run(&selection, &options, package.as_deref(), json),
        Task::Expand(arguments) => expand::run(&selection, &options, &arguments),
        Task::Trace(arguments) => trace::run(&selection, &options, &arguments, false),
        Task::Debug(arguments) => trace::run(&selection, &options, &arguments, true),
        Task::Profile(arguments) => profile::run(&selection, &options, &arguments),
        Task::Check(arguments) => check::run(&selection, &options, &arguments),
        Task::Server(arguments) => server::run(&options, &arguments),
        Task::Selftest(arguments) => selftest::run(&selection, &options, &arguments),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
