// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every figure of the guide that has a limit stands in its plot, above all one that violates a limit of 0.

use std::{fs, path::Path};

#[path = "../../bench/src/limits.rs"]
mod limits;

#[test]
fn each_figure_with_a_limit_is_drawn() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let read = |name| fs::read_to_string(docs.join(name)).unwrap();
    let (page, plot) = (read("figures.md"), read("images/figures.svg"));
    let (mut suite, mut drawn) = ("", 0);
    for line in page.lines() {
        suite = line.strip_prefix("## ").unwrap_or(suite);
        for (name, _) in limits::over_limits(line) {
            let name = format!("{suite}.{name}");
            assert!(plot.lines().any(|text| text == name), "{name} is not in the plot");
            drawn += 1;
        }
    }
    assert!(drawn > 30, "found only {drawn} figures with a limit");
}
