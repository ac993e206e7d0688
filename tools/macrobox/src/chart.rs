// SPDX-License-Identifier: MIT OR Apache-2.0

//! Curves on two logarithmic axes, as SVG.

use std::fmt::Write;

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it shows; none for a chart's only curve.
    pub name: Option<String>,
    /// Size, value, and what hovering the point tells beside them.
    pub points: Vec<(f64, f64, String)>,
}

const COLOURS: [&str; 4] = ["#2266bb", "#bb4422", "#228855", "#775599"];
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 60.0;

/// All of `series` in one chart; `unit` is that of the values.
pub fn svg(title: &str, unit: &str, series: &[Series]) -> String {
    let all = || series.iter().flat_map(|one| &one.points);
    let log = |value: f64| value.max(1e-9).log10();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(log(value)), high.max(log(value)))
        });
        (low, (high - low).max(0.1))
    };
    let (left, wide) = range(&mut all().map(|point| point.0));
    let (low, high) = range(&mut all().map(|point| point.1));
    let x = |value: f64| MARGIN + (log(value) - left) / wide * (WIDTH - 2.0 * MARGIN);
    let y = |value: f64| HEIGHT - MARGIN - (log(value) - low) / high * (HEIGHT - 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         fill=\"white\"/><text x=\"{MARGIN}\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    for (one, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let places: Vec<String> = one
            .points
            .iter()
            .map(|(size, value, _)| format!("{:.1},{:.1}", x(*size), y(*value)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        );
        for (size, value, more) in &one.points {
            let (x, y, shown) = (x(*size), y(*value), number(*value));
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"><title>size {size}: \
                 {shown} {unit}{more}</title></circle><text x=\"{x:.1}\" y=\"{:.1}\" \
                 text-anchor=\"middle\" fill=\"{colour}\">{shown}</text>",
                y - 8.0
            );
        }
    }
    let named =
        series.iter().zip(COLOURS).filter_map(|(one, colour)| Some((one.name.as_ref()?, colour)));
    for (row, (name, colour)) in named.enumerate() {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{name}</text>",
            MARGIN + 10.0,
            MARGIN - 12.0 + 16.0 * row as f64
        );
    }
    let mut sizes: Vec<f64> = all().map(|point| point.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x(size),
            HEIGHT - MARGIN + 18.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">size (logarithmic)</text><text x=\"14\" \
         y=\"{}\" transform=\"rotate(-90 14 {2})\" text-anchor=\"middle\">{unit} \
         (logarithmic)</text></svg>",
        WIDTH / 2.0,
        HEIGHT - 14.0,
        HEIGHT / 2.0
    );
    out
}

fn number(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// `value ~ size^exponent`, by least squares over logarithms; none for fewer than two points.
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let positive = points.iter().filter(|(size, value)| *size > 0.0 && *value > 0.0);
    let pairs: Vec<(f64, f64)> = positive.map(|(size, value)| (size.ln(), value.ln())).collect();
    let count = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (x, y) = (x / count, y / count);
    let above: f64 = pairs.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
    let below: f64 = pairs.iter().map(|pair| (pair.0 - x).powi(2)).sum();
    (pairs.len() > 1 && below > 0.0).then(|| above / below)
}
