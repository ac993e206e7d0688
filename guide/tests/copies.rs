// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a page copies from a file that is built stands there word for word, so that it can be read wherever
//! the page is shown. `RINGBACK_BLESS=1 ci/guide.sh` copies anew.
//!
//! A copy begins with `<!-- copied from FILE:PART -->`, where PART is an anchor, `FIRST:LAST` lines, or
//! missing for the whole file. It is the fenced block that follows, or all up to `<!-- end of copy -->`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The named part of a file, without the lines that mark parts and without its common indentation.
fn part(page: &Path, source: &str) -> Result<String, String> {
    let (file, part) = source.split_once(':').unwrap_or((source, ""));
    let path = page.parent().unwrap().join(file);
    let text = fs::read_to_string(&path).map_err(|why| format!("{file}: {why}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let range = if part.is_empty() {
        0..lines.len()
    } else if let Some((first, last)) = part.split_once(':') {
        let number = |text: &str| text.parse::<usize>().map_err(|why| format!("{source}: {why}"));
        number(first)? - 1..number(last)?
    } else {
        let line = |marker: &str| {
            let says = |line: &str, what: &str| line.split_whitespace().any(|word| word == what);
            let at = lines.iter().position(|line| says(line, marker) && says(line, part));
            at.ok_or(format!("{file} has no {marker} {part}"))
        };
        line("ANCHOR:")? + 1..line("ANCHOR_END:")?
    };
    let lines =
        lines.get(range).filter(|lines| !lines.is_empty()).ok_or(format!("{source}: empty"))?;
    let lines: Vec<_> = lines.iter().filter(|line| !line.contains("ANCHOR")).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common =
        lines.iter().copied().filter(|line| !line.is_empty()).map(|line| indent(line)).min();
    let dedented = lines.iter().map(|line| line.get(common.unwrap_or(0)..).unwrap_or_default());
    Ok(dedented.fold(String::new(), |text, line| text + line + "\n"))
}

/// The page with its copies made anew, and how many there are.
fn renewed(page: &Path, text: &str) -> Result<(String, usize), String> {
    let (mut renewed, mut copies) = (String::new(), 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        writeln!(renewed, "{line}").unwrap();
        let source =
            line.strip_prefix("<!-- copied from ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(source) = source else { continue };
        copies += 1;
        let copied = part(page, source)?;
        let first = lines.next().ok_or(format!("{source}: nothing follows"))?;
        let end = if first.starts_with("```") {
            writeln!(renewed, "{first}").unwrap();
            "```"
        } else {
            "<!-- end of copy -->"
        };
        renewed += &copied;
        let found = first == end || lines.any(|line| line == end);
        if !found {
            return Err(format!("{source}: the copy is not ended by {end}"));
        }
        writeln!(renewed, "{end}").unwrap();
    }
    Ok((renewed, copies))
}

#[test]
fn every_copy_is_what_its_source_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain([root.join("bindings/csharp/README.md")]); // the package's own page
    let (mut copies, mut wrong) = (0, Vec::new());
    for page in pages {
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().display().to_string();
        match renewed(&page, &text) {
            Err(why) => wrong.push(format!("{name}: {why}")),
            Ok((new, found)) => {
                copies += found;
                if new != text && std::env::var_os("RINGBACK_BLESS").is_some() {
                    fs::write(&page, new).unwrap();
                } else if new != text {
                    let line =
                        new.lines().zip(text.lines()).take_while(|(new, old)| new == old).count();
                    wrong.push(format!("{name}:{}: differs from what it copies", line + 1));
                }
            }
        }
    }
    assert!(copies > 20, "found only {copies} copies");
    assert!(wrong.is_empty(), "{}\nRINGBACK_BLESS=1 ci/guide.sh copies anew", wrong.join("\n"));
}
