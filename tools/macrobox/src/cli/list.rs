// SPDX-License-Identifier: MIT OR Apache-2.0

//! `list`: every macro, with where it comes from.

use super::BoxOptions;
use super::session::Session;
use crate::cargo::Selection;
use crate::{Error, Kind};

pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Derive => "derive",
        Kind::Attribute => "attribute",
        Kind::Function => "function",
    }
}

pub(super) fn run(
    selection: &Selection,
    options: &BoxOptions,
    package: Option<&str>,
    json: bool,
) -> Result<bool, Error> {
    let mut session = Session::open_for(options, None)?;
    // What is built already shows no call of rustc.
    if selection.verbose {
        selection.forget_macro_crates(package)?;
    }
    let crates = match package {
        None => selection.macro_crates(None)?,
        Some(package) => {
            let own = selection.macro_crates(Some(package))?;
            // A macro crate by its name: only that one.
            let itself: Vec<_> = own.iter().filter(|one| one.package == package).cloned().collect();
            if itself.is_empty() { own } else { itself }
        }
    };
    let mut whole = true;
    let mut rows = Vec::new();
    for one in &crates {
        let listed = one
            .library(&session.compiler)
            .and_then(|library| Ok((session.list(&library)?, library)));
        match listed {
            Ok((macros, library)) => {
                if macros.is_empty() && !json {
                    println!("{} {} declares no macros", one.package, one.version);
                }
                rows.extend(macros.into_iter().map(|known| (one, known, library.clone())));
            }
            Err(error) => {
                whole = false;
                eprintln!("error: {error}");
            }
        }
    }
    if json {
        let each = rows.iter().map(|(from, known, library)| {
            serde_json::json!({
                "kind": word(known.kind), "name": known.name, "helpers": known.helpers,
                "crate": from.package, "version": from.version,
                "compiler": library.compiler(), "library": library.path(),
            })
        });
        println!("{:#}", serde_json::Value::Array(each.collect()));
        return Ok(whole);
    }
    let width = rows.iter().map(|(_, known, _)| known.name.len()).max().unwrap_or(0);
    for (from, known, library) in &rows {
        let told = known.helpers.as_deref().unwrap_or_default();
        let helpers = match told.is_empty() {
            true => String::new(),
            false => format!("  helpers: {}", told.join(", ")),
        };
        println!(
            "{:<9}  {:<width$}  {} {}  {}{helpers}",
            word(known.kind),
            known.name,
            from.package,
            from.version,
            library.compiler(),
        );
    }
    if rows.is_empty() && whole {
        println!("no procedural macros here");
    }
    Ok(whole)
}
