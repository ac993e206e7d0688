// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the suite finds out, printed as the project's other benches print it.

/// The median of several measurements, and how far they lie apart.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        Spread { median: values[last / 2], low: values[0], high: values[last] }
    }
}

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    /// All of so many.
    All(usize),
    None,
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Figure {
    name: &'static str,
    spread: Spread,
    limit: Limit,
    meaning: &'static str,
    /// Also printed as a `figure` line, for programs.
    named: bool,
}

impl Figure {
    pub fn new(name: &'static str, spread: Spread, limit: Limit, meaning: &'static str) -> Self {
        Figure { name, spread, limit, meaning, named: true }
    }

    pub fn plain(name: &'static str, spread: Spread, meaning: &'static str) -> Self {
        Figure { named: false, ..Figure::new(name, spread, Limit::None, meaning) }
    }

    /// So many of so many.
    pub fn counted(name: &'static str, some: usize, all: usize, meaning: &'static str) -> Self {
        Figure::new(name, Spread::of(vec![some as f64]), Limit::All(all), meaning)
    }

    fn value(&self) -> String {
        match self.limit {
            Limit::All(all) => format!("{}/{all}", self.spread.median),
            _ => number(self.spread.median),
        }
    }
}

/// The table for people.
pub fn print_table(figures: &[Figure]) {
    println!(
        "{:<30} {:>10}  {:<10} {:<7} {:<16} meaning",
        "figure", "value", "limit", "", "min..max"
    );
    for one in figures {
        let Spread { median, low, high } = one.spread;
        let (limit, reached) = match one.limit {
            Limit::AtMost(limit) => (format!("<= {}", number(limit)), Some(median <= limit)),
            Limit::All(all) => (format!("all {all}"), Some(all > 0 && median == all as f64)),
            Limit::None => (String::new(), None),
        };
        let verdict = reached.map_or("", |reached| if reached { "ok" } else { "MISSED" });
        let range = format!("{}..{}", number(low), number(high));
        let line = format!(
            "{:<30} {:>10}  {limit:<10} {verdict:<7} {range:<16} {}",
            one.name,
            one.value(),
            one.meaning
        );
        println!("{}", line.trim_end());
    }
}

/// The lines for programs.
pub fn print_lines(suite: &str, figures: &[Figure]) {
    for one in figures.iter().filter(|one| one.named) {
        println!("figure {suite}.{} {}", one.name, one.value());
    }
}

fn number(value: f64) -> String {
    let digits = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}
