// SPDX-License-Identifier: MIT OR Apache-2.0

//! The allow-list: what is known of some macros and accepted.

use super::{FAILS, KINDS};
use crate::{Allow, Error};
use std::collections::BTreeSet;
use std::path::Path;

/// Pairs of macro and kind.
#[derive(Default)]
pub(super) struct Allowed(BTreeSet<(String, String)>);

impl Allowed {
    /// Reads lines `MACRO KIND`, and comments after `#`.
    pub fn read(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(Error::io(format!("reading the allow-list {}", path.display())))?;
        let mut pairs = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let words: Vec<&str> =
                line.split('#').next().unwrap_or("").split_whitespace().collect();
            match words[..] {
                [] => {}
                [name, kind] if KINDS.contains(&kind) || kind == FAILS => {
                    pairs.insert((name.to_owned(), kind.to_owned()));
                }
                _ => {
                    return Err(Error::Name(format!(
                        "{}:{}: `{}` is not `MACRO KIND`, where KIND is one of {}, {FAILS}",
                        path.display(),
                        index + 1,
                        line.trim(),
                        KINDS.join(", ")
                    )));
                }
            }
        }
        Ok(Allowed(pairs))
    }

    /// True if the macro `name` may do `kind`.
    pub fn has(&self, name: &str, kind: &str) -> bool {
        self.0.contains(&(name.to_owned(), kind.to_owned()))
    }

    /// Opens the box for the macro `name`, as far as it is listed.
    pub fn let_through(&self, name: &str, allow: &mut Allow) {
        allow.exec |= self.has(name, "exec");
        allow.network |= self.has(name, "net");
        if self.has(name, "fs-write") {
            allow.write.push("/".into()); // the list names no folder: --allow-write does
        }
    }

    /// The lines that allow what was not `seen`.
    pub fn unused(&self, seen: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let unseen = self.0.iter().filter(|(name, kind)| !seen(name, kind));
        unseen.map(|(name, kind)| format!("{name} {kind}")).collect()
    }
}
