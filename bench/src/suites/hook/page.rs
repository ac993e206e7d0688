// SPDX-License-Identifier: MIT OR Apache-2.0

//! The tables of docs/compare.md, between their marks.

use super::cases::CASES;
use super::sizes::{self, Sizes};
use super::support::{Maker, Support, Verdict};
use crate::Result;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes what was found out into the page.
pub fn write(support: &Support, sizes: &Sizes) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compare.md");
    let page = fs::read_to_string(&path)?;
    let page = replaced(&page, "hook support", &signatures(support)?)?;
    let page = replaced(&page, "hook sizes", &bytes(sizes))?;
    fs::write(&path, page)?;
    Ok(path)
}

/// The page with another text between the marks of this name.
fn replaced(page: &str, name: &str, text: &str) -> Result<String> {
    let marks = [format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->")];
    let parts = page.split_once(&marks[0]).zip(page.split_once(&marks[1]));
    let ((before, _), (_, after)) = parts.ok_or(format!("the page has no place for: {name}"))?;
    Ok([before, &marks[0], text, &marks[1], after].concat())
}

/// Case by case, what becomes of it with every macro.
fn signatures(support: &Support) -> Result<String> {
    let makers = &Maker::ALL[1..];
    let mut text = String::from("| a plain `async fn` with |");
    for maker in makers {
        let version = version(maker.name())?;
        let _ = write!(text, " {} {version} |", maker.name());
    }
    text += "\n|---|---|---|---|---|\n";
    for (case, it) in CASES.iter().enumerate() {
        let star = if it.starred { "\\*" } else { "" };
        let _ = write!(text, "| {}{star} |", it.name);
        for &maker in makers {
            let word = match support.worst(case, maker) {
                Verdict::Refused => "-",
                Verdict::Wrong => "wrong",
                Verdict::Called => "called",
                Verdict::Stored => "**stored**",
            };
            let _ = write!(text, " {word} |");
        }
        text += "\n";
    }
    text += "| **all of them: at least called** |";
    for &maker in makers {
        let (called, all) = support.callable(maker);
        let _ = write!(text, " {called} of {all} |");
    }
    text += "\n| **with a star: stored** |";
    for &maker in makers {
        let (stored, starred) = support.storable(maker);
        let _ = write!(text, " {stored} of {starred} |");
    }
    text += "\n";
    Ok(text)
}

/// What a call allocates, argument by argument.
fn bytes(sizes: &Sizes) -> String {
    let mut text = format!("| the argument is | {} |\n", sizes::MAKERS.join(" | "));
    text += "|---|---|---|---|---|\n";
    for (argument, bytes) in &sizes.bytes {
        let bytes = bytes.map(|bytes| bytes.map_or("-".to_owned(), |bytes| bytes.to_string()));
        let _ = writeln!(text, "| {argument} | {} |", bytes.join(" | "));
    }
    text
}

/// The version of a package with which the bench was built.
fn version(package: &str) -> Result<&'static str> {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!("name = \"{package}\"\nversion = \"");
    let (_, after) = lock.split_once(&entry).ok_or(format!("{package} is not locked"))?;
    after.split('"').next().ok_or_else(|| format!("{package} has no version").into())
}
