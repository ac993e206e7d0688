// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a profile shows: a chart for the terminal, SVG, and one HTML page.

use crate::{Call, Expansion, chart, write_text};
use std::fmt::Write;

/// One size of a sweep.
pub(super) struct Point {
    pub size: usize,
    pub nanoseconds: u64,
    pub tokens: usize,
    pub memory: u64,
}

/// One call with its output.
pub(super) struct Shown {
    pub title: String,
    pub nanoseconds: u64,
    pub call: Call,
    pub expansion: Expansion,
}

/// Over the larger half of the sizes: small ones show the fixed cost only.
fn exponent(points: &[Point], value: impl Fn(&Point) -> f64) -> Option<f64> {
    let larger = points[points.len() / 2..].iter();
    let pairs: Vec<_> = larger.map(|point| (point.size as f64, value(point))).collect();
    chart::exponent(&pairs)
}

fn summary(points: &[Point]) -> String {
    let show = |exponent: Option<f64>| exponent.map_or("?".into(), |value| format!("{value:.2}"));
    format!(
        "time grows as size^{}, output as size^{}",
        show(exponent(points, |point| point.nanoseconds as f64)),
        show(exponent(points, |point| point.tokens as f64))
    )
}

/// The sweep as bars of logarithmic length, in lines of at most `width` characters.
pub(super) fn bars(points: &[Point], width: usize) -> String {
    let mut out = format!("{:>8} {:>12} {:>12} {:>8}  log time\n", "size", "us", "tokens", "MB");
    let longest = width.saturating_sub(45).clamp(10, 60) as f64;
    let time = |point: &Point| point.nanoseconds as f64 / 1e3;
    let most = points.iter().map(time).fold(1.0, f64::max);
    for point in points {
        let share = (time(point).max(1.0).ln() / most.max(std::f64::consts::E).ln()).min(1.0);
        let _ = writeln!(
            out,
            "{:>8} {:>12.0} {:>12} {:>8.1}  {}",
            point.size,
            time(point),
            point.tokens,
            point.memory as f64 / 1e6,
            "█".repeat((share * longest).round() as usize)
        );
    }
    out + &summary(points) + "\n"
}

/// The sweep as a curve on two logarithmic axes.
pub(super) fn svg(points: &[Point]) -> String {
    let each = points.iter().map(|point| {
        let tokens = format!(", {} tokens", point.tokens);
        (point.size as f64, point.nanoseconds as f64 / 1e3, tokens)
    });
    let series = chart::Series { name: None, points: each.collect() };
    chart::svg(&summary(points), "us", &[series])
}

/// How many of the dearest calls the page shows with their tokens.
const SHOWN: usize = 20;

/// One page, with everything in it.
pub(super) fn html(points: &[Point], shown: &[Shown]) -> String {
    let mut out = String::from(HEAD);
    if !points.is_empty() {
        out += &svg(points);
    }
    let _ = write!(out, "<h2>{} dearest calls</h2>", shown.len().min(SHOWN));
    for one in shown.iter().take(SHOWN) {
        let _ = write!(
            out,
            "<details><summary>{} &middot; {:.0} us &middot; {} tokens</summary><div class=\"sides\">",
            escape(&one.title),
            one.nanoseconds as f64 / 1e3,
            one.expansion.stream.count()
        );
        out += &input(one);
        out += &output(one);
        out += "</div></details>";
    }
    out + TAIL
}

/// The call's source, each token of it findable by its place.
fn input(one: &Shown) -> String {
    let mut places: Vec<(u32, u32)> = Vec::new();
    let mut text = String::new();
    write_text(&one.expansion.stream, &mut text, &mut |tree, _, _| {
        let span = tree.span();
        if !span.is_made() && span.file == 0 {
            places.push((span.lo, span.hi));
        }
    });
    places.sort_unstable();
    places.dedup();
    let Some(source) = one.call.sources.first() else { return String::new() };
    let mut out = String::from("<pre class=\"in\">");
    let mut at = 0;
    for (lo, hi) in places {
        let (start, end) =
            (lo.saturating_sub(source.offset) as usize, hi.saturating_sub(source.offset) as usize);
        if start < at {
            continue; // inside of one already marked
        }
        let (Some(before), Some(token)) = (source.text.get(at..start), source.text.get(start..end))
        else {
            break;
        };
        let _ = write!(out, "{}<i data-at=\"{lo}\">{}</i>", escape(before), escape(token));
        at = end;
    }
    out + &escape(source.text.get(at..).unwrap_or("")) + "</pre>"
}

/// The output's tokens, each with the place it came from.
fn output(one: &Shown) -> String {
    let mut text = String::new();
    let mut marks = Vec::new();
    write_text(&one.expansion.stream, &mut text, &mut |tree, start, end| {
        marks.push((start, end, tree.span()));
    });
    let mut out = String::from("<pre class=\"out\">");
    let mut at = 0;
    for (start, end, span) in marks {
        let other = one.call.sources.get(span.file as usize).map(|source| escape(&source.path));
        let from = match (span.is_made(), span.file, other) {
            (true, ..) | (.., None) => " title=\"made by the macro\" class=\"made\"".to_owned(),
            (false, 0, _) => format!(" data-from=\"{}\"", span.lo),
            // As from the body of another crate's macro by example.
            (false, _, Some(file)) => format!(" title=\"from {file}\" class=\"made\""),
        };
        let (before, token) = (escape(&text[at..start]), escape(&text[start..end]));
        let _ = write!(out, "{before}<b{from}>{token}</b>");
        if matches!(&text[start..end], ";") {
            out.push('\n');
        }
        at = end;
    }
    out + &escape(&text[at..]) + "</pre>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const HEAD: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>macrobox profile</title>
<style>
body { font: 14px sans-serif; max-width: 1200px; margin: 2em auto; }
svg { max-width: 640px; }
summary { cursor: pointer; padding: .3em 0; }
.sides { display: flex; gap: 1em; }
pre { flex: 1; white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f6; padding: 1em; }
b, i { font-weight: normal; font-style: normal; }
.made { color: #777; }
.hit { background: #ffd54a; }
</style><h1>macrobox profile</h1>
<p>Hover an output token: the input it came from lights up. Grey tokens come from elsewhere, mostly from the macro: their
title says it.</p>
"#;

const TAIL: &str = r#"<script>
for (const token of document.querySelectorAll("b[data-from]")) {
  const from = () => token.closest(".sides").querySelector(`i[data-at="${token.dataset.from}"]`);
  token.addEventListener("mouseenter", () => { token.classList.add("hit"); from()?.classList.add("hit"); });
  token.addEventListener("mouseleave", () => { token.classList.remove("hit"); from()?.classList.remove("hit"); });
}
</script></html>
"#;
