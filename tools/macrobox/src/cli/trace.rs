// SPDX-License-Identifier: MIT OR Apache-2.0

//! `trace` and `debug`: one call, watched.

use super::BoxOptions;
use super::session::{Session, chosen};
use super::wanted::{Place, Wanted, shown_name};
use crate::cargo::Selection;
use crate::{Call, Error, Expansion, Library, Stream, render};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The call: `name!(..)`, `#[name(..)] item` or `#[derive(Name)] item`
    #[arg(required_unless_present = "at")]
    call: Option<String>,
    /// The calls on this line, or of the item that it is in
    #[arg(long, value_name = "FILE:LINE", conflicts_with = "call")]
    at: Option<Place>,
    /// The package whose crate or dependencies are meant
    #[arg(short, long)]
    package: Option<String>,
    /// This binary of the package; without it the library, or the binary that has the call
    #[arg(long, requires = "at")]
    bin: Option<String>,
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    arguments: &Arguments,
    debug: bool,
) -> Result<bool, Error> {
    let mut session = Session::open(options)?;
    let mut base = chosen(options);
    base.watch.trace = !debug;
    if debug {
        base.watch.debugger = true;
        base.allow.everything = true;
        base.limits.wall_milliseconds = 0;
    }
    let package = arguments.package.as_deref();
    let Some(place) = &arguments.at else {
        let text = arguments.call.as_deref().unwrap_or_default();
        let calls = session.written_calls(selection, package, "<input>", text)?;
        *session.boxed()?.options() = base;
        if debug {
            announce(&mut session)?;
        }
        let mut good = true;
        for (library, call) in &calls {
            good &= one(&mut session, library, call, debug)?;
        }
        return Ok(good);
    };
    let wanted = Wanted { at: Some(place), name: "*" };
    let found = wanted.find(selection, package, arguments.bin.as_deref(), &mut session)?;
    let Some(recording) = found else { return Ok(false) };
    let records = wanted.of(&recording, &session);
    if debug {
        announce(&mut session)?;
    }
    let mut good = true;
    for record in records {
        let library = session.library(&record.library)?;
        session.surround(record, &base);
        let call = record.call();
        println!("// {} at {}", shown_name(&call), record.place());
        good &= one(&mut session, &library, &call, debug)?;
    }
    Ok(good)
}

/// Says how to attach a debugger.
fn announce(session: &mut Session) -> Result<(), Error> {
    let server = session.boxed()?.server_id().unwrap_or_default();
    eprintln!(
        "waiting for a debugger: gdb -p $(pgrep -P {server}), then `break FUNCTION` and \
         `continue`. No box, no limits; Ctrl-C ends it."
    );
    Ok(())
}

/// False if the macro failed or complained.
fn one(session: &mut Session, library: &Library, call: &Call, debug: bool) -> Result<bool, Error> {
    match session.expand(library, call) {
        Ok(expansion) => {
            let Expansion { stream, diagnostics, trace, stdout, stderr, .. } = &expansion;
            trace.iter().for_each(|line| println!("{line}"));
            let (complaints, errors) =
                render::complaints(diagnostics, stream, call.site, &call.sources);
            eprint!("{complaints}{stdout}{stderr}");
            match debug {
                true => print!("{}", render::pretty(stream)),
                false => eprintln!("{} calls over the bridge", trace.len()),
            }
            Ok(errors == 0)
        }
        Err(error) => {
            let Error::Macro { before, .. } = &error else { return Err(error) };
            before.trace.iter().for_each(|line| println!("{line}"));
            let (complaints, _) = render::complaints(
                &before.diagnostics,
                &Stream::default(),
                call.site,
                &call.sources,
            );
            eprint!("{complaints}{}{}", before.stdout, before.stderr);
            match debug {
                true => eprintln!("error: {error}"),
                false => eprintln!("{} calls over the bridge, then: {error}", before.trace.len()),
            }
            Ok(false)
        }
    }
}
