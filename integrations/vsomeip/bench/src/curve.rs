// SPDX-License-Identifier: MIT OR Apache-2.0

//! Payloads of 8 bytes to 1 MB: bytes received per second, as a picture.

use crate::contestant::{Job, Outcome};
use crate::contestants::ALL;
use crate::runs::{Record, Runs};
use crate::suite::rate;
use plotters::prelude::*;
use std::path::Path;

const SIZES: [u64; 8] = [8, 64, 512, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/// What may be under way, in bytes.
const IN_FLIGHT: u64 = 64 << 20;

/// # Errors
/// A contestant has no figure.
pub fn run(record: &mut Record, runs: usize, part: u64) -> Result<(), String> {
    println!("\nMB/s received by payload, at most 64 MB under way, {runs} runs");
    println!("  {:>9}{:>26}{:>26}{:>26}", "bytes", ALL[0].name(), ALL[1].name(), ALL[2].name());
    let mut lines = vec![Vec::new(); ALL.len()];
    for size in SIZES {
        let count = (20_000.min((256 << 20) / size) / part).max(20);
        // A quarter of the limit: a payload exists up to four times on its way.
        let in_flight = (IN_FLIGHT / size / 4).max(1);
        let job = Job { scenario: 0, size, count, rate: 0, in_flight };
        let results = Runs::of(record, "payload", job, runs)?;
        let megabytes = |o: &Outcome| rate(o) * size as f64 / 1e6;
        print!("  {size:>9}");
        for (which, contestant) in ALL.into_iter().enumerate() {
            let median = results.median(contestant, megabytes);
            let spread = format!("({:.1} to {:.1})", median.least, median.most);
            print!("{:>8.1} {spread:<17}", median.value);
            lines[which].push((size as f64, median.value));
        }
        println!();
    }
    let path = Path::new("vsomeip-payloads.svg");
    match draw(path, &lines) {
        Ok(()) => println!("  drawn: {}", path.display()),
        Err(error) => println!("  not drawn: {error}"),
    }
    Ok(())
}

fn draw(path: &Path, lines: &[Vec<(f64, f64)>]) -> Result<(), Box<dyn std::error::Error>> {
    let most = lines.iter().flatten().map(|(_, y)| *y).fold(1.0, f64::max);
    let area = SVGBackend::new(path, (900, 560)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("MB/s received by payload size", ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d((8.0..1_048_576.0).log_scale(), (0.1..most * 1.5).log_scale())?;
    chart.configure_mesh().x_desc("payload, bytes").y_desc("MB/s").draw()?;
    for ((line, contestant), color) in lines.iter().zip(ALL).zip([BLACK, RED, BLUE]) {
        chart
            .draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(2)))?
            .label(contestant.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color));
    }
    chart.configure_series_labels().border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
