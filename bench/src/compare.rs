// SPDX-License-Identifier: MIT OR Apache-2.0

//! `-- compare [SUITE..]`: runs the suites, and writes what they print into docs/figures.md, with a plot.
//! `-- compare page` runs none of them.

use crate::{Result, limits, machine};
use plotters::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// In the order of the page: the suite, its question, its own plot.
const SECTIONS: &[(&str, &str, Option<&str>)] = &[
    ("dispatch", "What a call costs, when C calls a Rust listener.", None),
    ("register", "What registering, retiring and proving quiet cost.", None),
    ("compile", "What a pool costs to build.", None),
    ("async", "What a message to an async listener costs.", Some("images/async-latency.svg")),
    ("realtime", "What a real-time thread can count on.", Some("images/realtime-worst.svg")),
    ("outbound", "What a callback costs that Rust calls, or gives away.", None),
    ("hook", "What a hook allocates and takes.", None),
    (
        "vsomeip",
        "What the transport carries: native C++, the peer, ours.",
        Some("images/vsomeip-payloads.svg"),
    ),
    ("expand", "What a boxed macro expansion costs.", None),
];

/// In place of suites: none is run.
const PAGE: &str = "page";

const HEAD: &str = "\
# Figures

What each suite of `bench` printed when it was last run on a machine that did nothing else (the `load` is that
of its own build), unedited. **value** is a median, **min..max** the spread of its samples; `MISSED` is printed,
not hidden. A ratio is the median of quotients, each of two samples taken one after the other. Otherwise in the
section of vsomeip: there a ratio is a median over a median, and `out_of_order` and `lost` are those of the worst
run. How each is taken, and how to read it: `bench/README.md`. All of this page is made by

```sh
cargo run --release --manifest-path bench/Cargo.toml -- compare          # or: compare SUITE..
cargo run --release --manifest-path bench/Cargo.toml -- compare page     # runs none: page and plot of what stands here
```

![Each figure over its limit](images/figures.svg)

Each figure that has a limit, over that limit (for a lower limit: the limit over the figure). Up to 1 it is kept.
Where there is nothing to divide by, a limit of 0 or `all`, the bar ends at 1 if it is kept, and else at the
right edge; so does a figure that is no number.

";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

pub fn run(chosen: &[String]) -> Result<()> {
    let anew = chosen != [PAGE];
    let chosen = if anew { chosen } else { &[] };
    if let Some(unknown) = chosen.iter().find(|name| !SECTIONS.iter().any(|it| it.0 == **name)) {
        let names: Vec<_> = SECTIONS.iter().map(|it| it.0).collect();
        return Err(format!("no suite {unknown}; there are: {}, {PAGE}", names.join(", ")).into());
    }
    let page = docs().join("figures.md");
    let before = fs::read_to_string(&page).unwrap_or_default();
    let mut text = HEAD.to_owned();
    let mut missed = Vec::new();
    for &(suite, question, plot) in SECTIONS {
        let output = if anew && (chosen.is_empty() || chosen.iter().any(|name| name == suite)) {
            let (output, succeeded) = output_of(suite)?;
            if !succeeded {
                missed.push(suite);
            }
            output
        } else {
            section(&before, suite).unwrap_or("not run yet").to_owned()
        };
        let _ = write!(text, "## {suite}\n\n{question}\n\n");
        if let Some(plot) = plot.filter(|plot| docs().join(plot).exists()) {
            let _ = write!(text, "![{suite}]({plot})\n\n");
        }
        let _ = write!(text, "```text\n{}\n```\n\n", output.trim());
        // A suite that fails must not cost what the ones before it found out.
        let rest: String = remaining(&before, suite);
        fs::write(&page, format!("{}{rest}", text.trim_end().to_owned() + "\n\n"))?;
    }
    fs::write(&page, text.trim_end().to_owned() + "\n")?;
    draw(&text)?;
    println!("written: {}", page.display());
    if missed.is_empty() { Ok(()) } else { Err(format!("failed: {}", missed.join(", ")).into()) }
}

/// What a suite prints, without the lines for programs, and whether it succeeded.
fn output_of(suite: &str) -> Result<(String, bool)> {
    let mut command = if suite == "vsomeip" {
        let manifest =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../integrations/vsomeip/bench/Cargo.toml");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--release", "--quiet", "--manifest-path", manifest, "--"]);
        cargo.current_dir(std::env::temp_dir()); // where it draws, and records its runs
        cargo
    } else {
        Command::new(std::env::current_exe()?)
    };
    let mut child = command.arg(suite).stdout(Stdio::piped()).spawn()?;
    // The transport's suite is a program of another workspace, built by the same compilers.
    let mut kept = if suite == "vsomeip" { machine::here()? } else { String::new() };
    for line in BufReader::new(child.stdout.take().ok_or("no output")?).lines() {
        let line = line?;
        println!("{line}");
        if !line.starts_with(&format!("figure {suite}.")) {
            kept += &line;
            kept.push('\n');
        }
    }
    let succeeded = child.wait()?.success();
    if suite == "vsomeip" && succeeded {
        let drawn = std::env::temp_dir().join("vsomeip-payloads.svg");
        fs::copy(drawn, docs().join("images/vsomeip-payloads.svg"))?;
    }
    Ok((kept, succeeded))
}

/// What stands in the page for a suite.
fn section<'p>(page: &'p str, suite: &str) -> Option<&'p str> {
    let (_, from) = page.split_once(&format!("\n## {suite}\n"))?;
    let (_, from) = from.split_once("```text\n")?;
    from.split_once("\n```\n").map(|(text, _)| text)
}

/// The page's sections after that of a suite.
fn remaining(page: &str, suite: &str) -> String {
    let next = SECTIONS.iter().skip_while(|it| it.0 != suite).nth(1);
    let start = next.and_then(|next| page.find(&format!("## {}\n", next.0)));
    start.map_or(String::new(), |start| page[start..].to_owned())
}

/// Each figure of the page that has a limit, and what it is over that limit.
fn over_limits(page: &str) -> Vec<(String, f64)> {
    let of = |suite| limits::over_limits(section(page, suite).unwrap_or_default());
    let named = SECTIONS.iter().flat_map(|&(suite, ..)| {
        of(suite).into_iter().map(move |(name, ratio)| (format!("{suite}.{name}"), ratio))
    });
    named.collect()
}

fn draw(page: &str) -> Result<()> {
    let figures = over_limits(page);
    if figures.is_empty() {
        return Err("no figure with a limit was found in what the suites print".into());
    }
    let path = docs().join("images/figures.svg");
    let rows = figures.len() as i32;
    let area = SVGBackend::new(&path, (860, 40 + 16 * rows as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let finite = figures.iter().map(|figure| figure.1).filter(|ratio| ratio.is_finite());
    let most = finite.fold(2.0, f64::max) * 1.2;
    let names: Vec<&str> = figures.iter().map(|figure| figure.0.as_str()).collect();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(24)
        .y_label_area_size(300)
        .build_cartesian_2d((0.01..most).log_scale(), rows..0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(WHITE)
        .y_labels(0)
        .y_label_formatter(&|_| String::new())
        .x_label_formatter(&|ratio| format!("{ratio}"))
        .draw()?;
    let style = ("sans-serif", 12).into_font();
    for (row, (name, (_, ratio))) in (0..).zip(names.iter().zip(&figures)) {
        let color = if *ratio <= 1.0 { RGBColor(44, 130, 60) } else { RGBColor(200, 40, 40) };
        let bar = [(0.01, row), (ratio.clamp(0.0101, most), row + 1)];
        let mut rectangle = Rectangle::new(bar, color.mix(0.75).filled());
        rectangle.set_margin(3, 3, 0, 0);
        chart.draw_series([rectangle])?;
        let y = chart.plotting_area().get_pixel_range().1.start + 16 * row;
        area.draw(&Text::new((*name).to_owned(), (10, y + 3), style.clone()))?;
    }
    let limit = [(1.0, 0), (1.0, rows)];
    chart.draw_series(LineSeries::new(limit, BLACK.stroke_width(2)))?;
    area.present()?;
    Ok(())
}
