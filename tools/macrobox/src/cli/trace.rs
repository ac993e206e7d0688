// SPDX-License-Identifier: MIT OR Apache-2.0

//! `trace` and `debug`: one call, watched.

use super::BoxOptions;
use super::session::Session;
use crate::cargo::Selection;
use crate::{Error, render};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The call: `name!(..)`, `#[name(..)] item` or `#[derive(Name)] item`
    call: String,
    /// The package whose dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
    debug: bool,
) -> Result<bool, Error> {
    let mut session = Session::open(options)?;
    let package = arguments.package.as_deref();
    let calls = session.written_calls(selection, package, "<input>", &arguments.call)?;
    session.boxed()?.options().watch.trace = !debug;
    if debug {
        let server = session.boxed()?.server_id().unwrap_or_default();
        let chosen = session.boxed()?.options();
        chosen.watch.debugger = true;
        chosen.allow.everything = true;
        chosen.limits.wall_milliseconds = 0;
        eprintln!(
            "waiting for a debugger: gdb -p $(pgrep -P {server}), then `break FUNCTION` and \
             `continue`. No box, no limits; Ctrl-C ends it."
        );
    }
    let mut good = true;
    for (library, call) in calls {
        match session.boxed()?.expand(&library, &call) {
            Ok(expansion) => {
                expansion.trace.iter().for_each(|line| println!("{line}"));
                eprintln!("{} calls over the bridge", expansion.trace.len());
                if debug {
                    print!("{}", render::pretty(&expansion.stream));
                }
            }
            Err(error) => {
                let Error::Macro { before, .. } = &error else { return Err(error) };
                good = false;
                before.trace.iter().for_each(|line| println!("{line}"));
                eprintln!("{} calls over the bridge, then: {error}", before.trace.len());
            }
        }
    }
    Ok(good)
}
