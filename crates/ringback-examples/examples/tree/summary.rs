// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files and bytes, all together and by extension.

use crate::walk::Found;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// How many extensions are listed.
const LISTED: usize = 10;

#[derive(Default, Clone, Copy)]
struct Sum {
    files: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What a walk has found so far.
#[derive(Default)]
pub(crate) struct Summary {
    all: Sum,
    by_extension: HashMap<String, Sum>,
    unreadable: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, found: &Found<'_>) {
        match found {
            Found::File { name, bytes } => {
                let extension = Path::new(name).extension();
                let label = extension.map_or("(none)".into(), |text| text.to_string_lossy());
                self.all.add(*bytes);
                self.by_extension.entry(label.into_owned()).or_default().add(*bytes);
            }
            Found::Unreadable => self.unreadable += 1,
            Found::Other => {}
        }
    }

    /// How many directories and files could not be looked into.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { files, bytes } = self.all;
        writeln!(f, "files  {files:>15}")?;
        writeln!(f, "bytes  {bytes:>15}")?;

        let mut largest: Vec<_> = self.by_extension.iter().collect();
        largest.sort_by_key(|(extension, sum)| (u64::MAX - sum.bytes, *extension));
        largest.truncate(LISTED);
        let title = "extension";
        let lengths = largest.iter().map(|(extension, _)| extension.chars().count());
        let width = lengths.max().unwrap_or(0).max(title.len());
        writeln!(f, "\n{title:width$}  {:>9}  {:>15}", "files", "bytes")?;
        for (extension, Sum { files, bytes }) in largest {
            writeln!(f, "{extension:width$}  {files:>9}  {bytes:>15}")?;
        }
        Ok(())
    }
}
