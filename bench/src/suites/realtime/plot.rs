// SPDX-License-Identifier: MIT OR Apache-2.0

//! The slowest calls while listeners are unregistered, by protection.

use super::child::Mode;
use crate::Result;
use plotters::prelude::*;
use std::path::{Path, PathBuf};

/// The share of calls above each point of the plot: from a tenth to a ten-millionth.
pub fn rests() -> impl Iterator<Item = f64> {
    nines().map(|nines| 10_f64.powf(-nines))
}

/// 1 is 90 %, 2 is 99 %.
fn nines() -> impl Iterator<Item = f64> {
    (0..=120).map(|step| 1.0 + f64::from(step) / 20.0)
}

/// Of each mode the nanoseconds at those points.
pub fn draw(curves: &[(Mode, Vec<u64>)]) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/realtime-worst.svg");
    let area = SVGBackend::new(&path, (640, 340)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .margin_right(40) // half of the last label
        .caption("a call while others are unregistered", ("sans-serif", 16))
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(1.0..7.0_f64, (0.01..20_000.0_f64).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(7)
        .x_label_formatter(&|nines| format!("{}", 100.0 - 10_f64.powf(2.0 - nines)))
        .x_desc("percentile of 10 million")
        .y_desc("microseconds")
        .light_line_style(WHITE)
        .draw()?;
    let colors = [BLACK, RGBColor(31, 119, 180), RGBColor(44, 160, 44), RGBColor(214, 39, 40)];
    for ((mode, times), color) in curves.iter().zip(colors) {
        let points =
            nines().zip(times).map(|(nines, time)| (nines, (*time as f64 / 1000.0).max(0.01)));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(mode.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    area.present()?;
    drop(chart);
    drop(area);
    Ok(path)
}
