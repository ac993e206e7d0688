// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every page of the repository: its links lead somewhere, and what it shows of a language is compiled.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The pages that are committed, or about to be.
fn pages() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root())
        .output()
        .expect("git lists the pages");
    let pages: Vec<_> =
        String::from_utf8(listed.stdout).unwrap().lines().map(|page| root().join(page)).collect();
    assert!(pages.len() > 20, "a page is missing: {pages:?}");
    pages
}

fn parse(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// What a heading is linked by, as mdBook and most hosts make it.
fn slug(heading: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    heading.chars().filter_map(kept).collect()
}

fn headings(text: &str) -> Vec<String> {
    let (mut slugs, mut inside) = (Vec::new(), None::<(HeadingLevel, String)>);
    for event in parse(text) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => inside = Some((level, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                slugs.extend(inside.take().map(|(_, text)| slug(&text)))
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, text)) = &mut inside {
                    text.push_str(&part);
                }
            }
            _ => {}
        }
    }
    slugs
}

#[test]
fn every_link_leads_somewhere() {
    let (mut links, mut broken) = (0, Vec::new());
    let guide = root().join("docs");
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for event in parse(&text) {
            let (Event::Start(Tag::Link { dest_url, .. })
            | Event::Start(Tag::Image { dest_url, .. })) = event
            else {
                continue;
            };
            if dest_url.contains("://") {
                continue; // not looked up: a test must not fail because a server is down
            }
            links += 1;
            let (path, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            let target =
                if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let mut complain =
                |why: &str| broken.push(format!("{}: {dest_url}: {why}", page.display()));
            let Ok(target) = target.canonicalize() else {
                complain("is not there");
                continue;
            };
            if page.starts_with(&guide) && !target.starts_with(&guide) {
                complain("a link of the guide leads out of the book; name the path instead");
            }
            if !anchor.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
                let slugs = headings(&fs::read_to_string(&target).unwrap());
                if !slugs.iter().any(|slug| slug == anchor) {
                    complain(&format!("has no such heading, but {slugs:?}"));
                }
            }
        }
    }
    assert!(links > 50, "found only {links} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn what_the_guide_shows_is_compiled_somewhere() {
    let (mut blocks, mut wrong) = (0, Vec::new());
    let package = root().join("bindings/csharp/README.md"); // shown by NuGet
    let shown = |page: &PathBuf| page.parent() == Some(&root().join("docs")) || *page == package;
    for page in pages().into_iter().filter(shown) {
        let text = fs::read_to_string(&page).unwrap();
        for (event, range) in parse(&text).into_offset_iter() {
            let Event::Start(Tag::CodeBlock(kind)) = event else { continue };
            let language = match &kind {
                CodeBlockKind::Fenced(language) => &**language,
                CodeBlockKind::Indented => "rust", // rustdoc takes it for Rust
            };
            let before = text[..range.start].lines().next_back().unwrap_or_default();
            match language {
                "rust" | "rust,no_run" => blocks += 1, // tested by `chapters`
                "rust,ignore" | "c" | "cpp" | "csharp" | "cmake" => {
                    blocks += 1;
                    if !before.starts_with("<!-- copied from ") {
                        let why = "is compiled by nobody: copy it from a file that is built";
                        wrong.push(format!("{}: {why}:\n{}", page.display(), &text[range]));
                    }
                }
                "sh" | "text" | "toml" => {}
                other => wrong.push(format!("{}: a block of `{other}`", page.display())),
            }
        }
    }
    assert!(blocks > 30, "found only {blocks} blocks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_of_the_guide_is_a_chapter_and_is_tested() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let chapters =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chapters.rs")).unwrap();
    let docs = pages().into_iter().filter(|page| page.parent() == Some(&root().join("docs")));
    for page in docs {
        let name = page.file_name().unwrap().to_str().unwrap();
        if name == "SUMMARY.md" {
            continue;
        }
        assert!(summary.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
        assert!(chapters.contains(&format!("\"{name}\"")), "{name} is not in chapters.rs");
    }
}
