// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a suite finds out, and how it is printed.

use crate::Result;
use crate::measure::Spread;

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
    /// Printed beside the others, for comparison.
    None,
}

impl Limit {
    fn text(self) -> String {
        match self {
            Limit::AtMost(limit) => format!("<= {limit}"),
            Limit::AtLeast(limit) => format!(">= {limit}"),
            Limit::None => String::new(),
        }
    }

    fn verdict(self, value: f64) -> &'static str {
        let reached = match self {
            Limit::AtMost(limit) => value <= limit,
            Limit::AtLeast(limit) => value >= limit,
            Limit::None => return "",
        };
        if reached { "ok" } else { "MISSED" }
    }
}

/// One row of a suite's table.
#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    spread: Spread,
    limit: Limit,
    meaning: String,
    /// Also printed as a `figure` line, for programs.
    named: bool,
}

impl Figure {
    /// A figure of the project.
    pub fn new(name: &str, spread: Spread, limit: Limit, meaning: &str) -> Self {
        Figure { name: name.into(), spread, limit, meaning: meaning.into(), named: true }
    }

    /// A row that explains the figures: it stands in the table only.
    pub fn plain(name: &str, spread: Spread, meaning: &str) -> Self {
        Figure { named: false, ..Figure::new(name, spread, Limit::None, meaning) }
    }

    /// The same figure of the portable table, which has no limit.
    pub fn portable(self) -> Self {
        Figure { name: format!("portable.{}", self.name), limit: Limit::None, ..self }
    }
}

/// The table for people.
pub fn print_table(figures: &[Figure]) {
    let head = ["figure", "value", "limit", "", "min..max", "meaning"].map(String::from);
    let mut rows = vec![head];
    rows.extend(figures.iter().map(|figure| {
        let Spread { median, low, high } = figure.spread;
        [
            figure.name.clone(),
            number(median),
            figure.limit.text(),
            figure.limit.verdict(median).to_owned(),
            format!("{}..{}", number(low), number(high)),
            figure.meaning.clone(),
        ]
    }));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Numbers to the right, words to the left.
            line +=
                &if column == 1 { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            line += "  ";
        }
        println!("{}", line.trim_end());
    }
}

/// The lines for programs: `figure SUITE.NAME VALUE`.
pub fn print_lines(suite: &str, figures: &[Figure]) {
    for figure in figures.iter().filter(|figure| figure.named) {
        println!("figure {suite}.{} {}", figure.name, number(figure.spread.median));
    }
}

/// An error that names those that are no number, or infinite: nothing was measured there.
pub fn all_numbers(figures: &[Figure]) -> Result<()> {
    let wrong = figures.iter().filter(|figure| !figure.spread.median.is_finite());
    let names: Vec<_> = wrong.map(|figure| figure.name.trim()).collect();
    if names.is_empty() { Ok(()) } else { Err(format!("no number: {}", names.join(", ")).into()) }
}

/// Three digits that matter, without exponents.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

const TAG: &str = "raw-figure";

/// Lines from which another process can read the figures back with [`parse_raw`].
pub fn print_raw(figures: &[Figure]) {
    for Figure { name, spread: Spread { median, low, high }, named, meaning, .. } in figures {
        println!("{TAG}\t{name}\t{median}\t{low}\t{high}\t{named}\t{meaning}");
    }
}

/// Reads the figures in the output of [`print_raw`].
pub fn parse_raw(output: &str) -> Result<Vec<Figure>> {
    let lines = output.lines().filter_map(|line| line.strip_prefix(TAG));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.trim_start().split('\t').collect();
            let [name, median, low, high, named, meaning] = fields[..] else {
                return Err(format!("not a figure: {line}").into());
            };
            let spread = Spread { median: median.parse()?, low: low.parse()?, high: high.parse()? };
            let named = named.parse()?;
            Ok(Figure { named, ..Figure::new(name, spread, Limit::None, meaning) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_no_number_misses_and_is_an_error() {
        let figure = |name: &str, value| {
            Figure::new(name, Spread { median: value, low: value, high: value }, Limit::None, "")
        };
        all_numbers(&[figure("zero", 0.0)]).unwrap();
        let wrong = [figure("good", 1.0), figure("zero_over_zero", f64::NAN)];
        assert_eq!(all_numbers(&wrong).unwrap_err().to_string(), "no number: zero_over_zero");
        for limit in [Limit::AtMost(1.0), Limit::AtLeast(1.0)] {
            assert_eq!(limit.verdict(f64::NAN), "MISSED");
        }
    }
}
