// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every figure of the guide that has a limit stands in its plot, above all one that violates a limit of 0; and
//! every one that misses is explained.

use std::{fs, path::Path};

#[path = "../../bench/src/limits.rs"]
mod limits;

#[test]
fn each_figure_with_a_limit_is_drawn_and_each_miss_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name| fs::read_to_string(root.join(name)).unwrap();
    let (page, plot) = (read("docs/figures.md"), read("docs/images/figures.svg"));
    let explained = read("bench/README.md");
    let (mut suite, mut drawn) = ("", 0);
    for line in page.lines() {
        suite = line.strip_prefix("## ").unwrap_or(suite);
        for (name, ratio) in limits::over_limits(line) {
            let name = format!("{suite}.{name}");
            assert!(plot.lines().any(|text| text == name), "{name} is not in the plot");
            let why = format!("* `{name}`");
            let missing = "misses its limit: say why in bench/README.md, What misses";
            assert!(ratio <= 1.0 || explained.contains(&why), "{name} {missing}");
            drawn += 1;
        }
    }
    assert!(drawn > 30, "found only {drawn} figures with a limit");
}
