// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the example `qsort` as a user does.

use crate::common::{stderr, stdout};
use std::process::Command;

#[test]
fn qsort_sorts() {
    let output = crate::common::run(&mut Command::new(crate::common::build("qsort")));
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let names: Vec<_> = text.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert_eq!(names, ["airbag", "brake", "speed", "doors", "lights", "wipers", "radio"]);
}
