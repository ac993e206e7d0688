//! What a profile shows: a chart for the terminal, SVG, and one HTML page.

use crate::{Call, Expansion, write_text};
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

/// `y ~ size^exponent`, by least squares over logarithms of the larger half: small sizes show the
/// fixed cost only.
pub(super) fn exponent(points: &[Point], value: impl Fn(&Point) -> f64) -> Option<f64> {
    let larger = &points[points.len() / 2..];
    let pairs: Vec<(f64, f64)> = larger
        .iter()
        .filter(|point| point.size > 0 && value(point) > 0.0)
        .map(|point| ((point.size as f64).ln(), value(point).ln()))
        .collect();
    let count = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (x, y) = (x / count, y / count);
    let above: f64 = pairs.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
    let below: f64 = pairs.iter().map(|pair| (pair.0 - x).powi(2)).sum();
    (pairs.len() > 1 && below > 0.0).then(|| above / below)
}

fn summary(points: &[Point]) -> String {
    let show = |exponent: Option<f64>| exponent.map_or("?".into(), |value| format!("{value:.2}"));
    format!(
        "time grows as size^{}, output as size^{}",
        show(exponent(points, |point| point.nanoseconds as f64)),
        show(exponent(points, |point| point.tokens as f64))
    )
}

/// The sweep as bars of logarithmic length.
pub(super) fn chart(points: &[Point]) -> String {
    let longest = 40.0;
    let time = |point: &Point| point.nanoseconds as f64 / 1e3;
    let most = points.iter().map(time).fold(1.0, f64::max);
    let mut out =
        format!("{:>8} {:>12} {:>12} {:>10}  time, logarithmic\n", "size", "us", "tokens", "MB");
    for point in points {
        let share = (time(point).max(1.0).ln() / most.max(std::f64::consts::E).ln()).min(1.0);
        let _ = writeln!(
            out,
            "{:>8} {:>12.0} {:>12} {:>10.1}  {}",
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
    let (width, height, margin) = (640.0, 360.0, 60.0);
    let log = |value: f64| value.max(1.0).log10();
    let sizes = points.iter().map(|point| log(point.size as f64));
    let times = points.iter().map(|point| log(point.nanoseconds as f64));
    let right = sizes.clone().fold(1.0, f64::max);
    let (low, high) = (times.clone().fold(9.0, f64::min), times.clone().fold(3.0, f64::max));
    let x = |value: f64| margin + value / right * (width - 2.0 * margin);
    let y = |value: f64| {
        height - margin - (value - low) / (high - low).max(0.1) * (height - 2.0 * margin)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\"><rect width=\"{width}\" height=\"{height}\" \
         fill=\"white\"/><text x=\"{margin}\" y=\"24\" font-size=\"14\">{}</text>",
        summary(points)
    );
    let line: Vec<String> = sizes
        .clone()
        .zip(times.clone())
        .map(|(size, time)| format!("{:.1},{:.1}", x(size), y(time)))
        .collect();
    let _ = write!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#2266bb\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for ((size, time), point) in sizes.zip(times).zip(points) {
        let (x, y) = (x(size), y(time));
        let micros = point.nanoseconds as f64 / 1e3;
        let _ = write!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#2266bb\"><title>size {}: {micros:.0} \
             us, {} tokens</title></circle><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}\
             </text><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#2266bb\">{micros:.0}\
             </text>",
            point.size,
            point.tokens,
            height - margin + 18.0,
            point.size,
            y - 8.0,
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">size (logarithmic)</text><text x=\"14\" \
         y=\"{}\" transform=\"rotate(-90 14 {2})\" text-anchor=\"middle\">us (logarithmic)</text></svg>",
        width / 2.0,
        height - 14.0,
        height / 2.0
    );
    out
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
        let from = match span.is_made() || span.file != 0 {
            true => " title=\"made by the macro\" class=\"made\"".to_owned(),
            false => format!(" data-from=\"{}\"", span.lo),
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
<p>Hover an output token: the input it came from lights up. Grey tokens were made by the macro.</p>
"#;

const TAIL: &str = r#"<script>
for (const token of document.querySelectorAll("b[data-from]")) {
  const from = () => token.closest(".sides").querySelector(`i[data-at="${token.dataset.from}"]`);
  token.addEventListener("mouseenter", () => { token.classList.add("hit"); from()?.classList.add("hit"); });
  token.addEventListener("mouseleave", () => { token.classList.remove("hit"); from()?.classList.remove("hit"); });
}
</script></html>
"#;
