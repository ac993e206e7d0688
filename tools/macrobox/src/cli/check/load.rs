// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macros that nothing calls: those of libraries that are built here are loaded, since their
//! constructors run all the same. Of those that are not built here, only the names are known.

use super::{Allowed, Finding, Findings};
use crate::Error;
use crate::cargo::Selection;
use crate::cli::session::Session;
use std::collections::HashSet;

/// What no call is known of.
#[derive(Default)]
pub(super) struct Uncalled {
    /// Macros of libraries that were loaded.
    pub macros: Vec<String>,
    /// Macro crates that were not even built.
    pub unbuilt: Vec<String>,
}

/// What to do about crates that are not built.
pub(super) const REMEDY: &str = "\
What only a feature needs is built with --features or --all-features. What only tests or only other \
    targets need: check a package that has it among its plain dependencies.";

/// Loads every library in the box, watched: constructors run then, whether or not anything calls
/// its macros.
pub(super) fn all(
    session: &mut Session,
    selection: &Selection,
    package: Option<&str>,
    allowed: &Allowed,
    findings: &mut Findings,
) -> Result<Uncalled, Error> {
    let mut macros = Vec::new();
    let mut built = HashSet::new();
    let base = session.boxed()?.options().clone();
    let locked = selection.locked_macros(package)?;
    for one in selection.macro_crates(package)? {
        let library = one.library(&session.compiler)?;
        let name = library.crate_name();
        // Two versions of a crate are two findings. One version may be built twice, by its features.
        let known = locked.iter().find(|known| known.id == one.id);
        let when = format!("{}::(loading)", known.map_or(&name, |known| &known.name));
        let chosen = session.boxed()?.options();
        *chosen = base.clone();
        chosen.watch.touches = true;
        allowed.let_through(&when, &mut chosen.allow);
        let mut loading = Finding::default();
        match session.boxed()?.load(&library) {
            Ok((declared, before)) => {
                loading.note(&before.touches, &library);
                loading.note_tracked(&before.tracked);
                let each = declared.into_iter().map(|known| format!("{name}::{}", known.name));
                macros.extend(each.filter(|name| !findings.contains_key(name)));
            }
            Err(error) => loading.note_failure(error, &library)?,
        }
        if !loading.touches.is_empty() || loading.failed.is_some() {
            findings.entry(when).or_default().merge(loading);
        }
        built.insert(one.id);
    }
    *session.boxed()?.options() = base;
    let unbuilt =
        locked.into_iter().filter(|one| !built.contains(&one.id)).map(|one| one.name).collect();
    Ok(Uncalled { macros, unbuilt })
}
