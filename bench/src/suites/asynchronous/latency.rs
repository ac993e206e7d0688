// SPDX-License-Identifier: MIT OR Apache-2.0

//! How long a message takes at a given rate, as a plot.

use super::Message;
use super::handover::{Shape, start};
use crate::Result;
use crate::figure::Figure;
use crate::measure::Spread;
use plotters::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub struct Plot {
    pub path: PathBuf,
    pub rows: Vec<Figure>,
}

const RATES: [u64; 3] = [1_000, 10_000, 100_000];
const SHAPES: [(Shape, &str, RGBColor); 3] = [
    (Shape::Ringback, "ringback", RGBColor(0, 114, 178)),
    (Shape::SpawnEach, "spawn per message", RGBColor(230, 159, 0)),
    (Shape::BlockOnEach, "block_on per message", RGBColor(204, 61, 61)),
];
/// Of each rate, so many seconds are measured.
const SECONDS: f64 = 1.0;

/// Latencies in nanoseconds, sorted.
fn latencies(shape: Shape, rate: u64) -> Vec<u64> {
    let runtime = Arc::new(shape.runtime());
    let messages = (rate as f64 * SECONDS) as u64;
    let begin = Instant::now();
    let seen = Arc::new(Mutex::new(Vec::with_capacity(messages as usize)));
    let inner = Arc::clone(&seen);
    let running = start(shape, &runtime, move |message| {
        let now = begin.elapsed().as_nanos() as u64;
        // One thread writes it, so the lock is never waited for.
        inner.lock().unwrap_or_else(|p| p.into_inner()).push(now.saturating_sub(message.rest[0]));
    });
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..messages {
                let due = Duration::from_nanos(number * 1_000_000_000 / rate);
                while let Some(left) = due.checked_sub(begin.elapsed()) {
                    if left > Duration::from_micros(200) {
                        thread::sleep(left - Duration::from_micros(100));
                    }
                }
                let sent = begin.elapsed().as_nanos() as u64;
                (running.send)(&Message { number, rest: [sent; 7] });
            }
        });
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    while (seen.lock().unwrap_or_else(|p| p.into_inner()).len() as u64) < messages {
        assert!(Instant::now() < deadline, "messages are missing after ten seconds");
        thread::sleep(Duration::from_millis(1));
    }
    let mut latencies = std::mem::take(&mut *seen.lock().unwrap_or_else(|p| p.into_inner()));
    latencies.sort_unstable();
    latencies
}

fn percentile(sorted: &[u64], percent: f64) -> f64 {
    let place = (sorted.len() as f64 * percent / 100.0) as usize;
    sorted[place.min(sorted.len() - 1)] as f64 / 1000.0
}

/// Measures, draws, and returns the rows for the table.
pub fn plot() -> Result<Plot> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/async-latency.svg");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut rows = Vec::new();
    let mut curves = Vec::new();
    for (shape, name, color) in SHAPES {
        for rate in RATES {
            let sorted = latencies(shape, rate);
            let (p50, p99) = (percentile(&sorted, 50.0), percentile(&sorted, 99.0));
            let spread = Spread { median: p50, low: percentile(&sorted, 0.0), high: p99 };
            let meaning = "microseconds from call to handler: median, least, 99th percentile";
            rows.push(Figure::plain(&format!("  {name} at {rate}/s"), spread, meaning));
            curves.push((name, color, rate, sorted));
        }
    }
    draw(&path, &curves)?;
    Ok(Plot { path, rows })
}

type Curve = (&'static str, RGBColor, u64, Vec<u64>);

/// One panel per rate: the share of messages (downwards) that took longer than so many microseconds.
fn draw(path: &Path, curves: &[Curve]) -> Result<()> {
    let area = SVGBackend::new(path, (960, 340)).into_drawing_area();
    area.fill(&WHITE)?;
    let panels = area.split_evenly((1, RATES.len()));
    for (panel, rate) in panels.iter().zip(RATES) {
        let mut chart = ChartBuilder::on(panel)
            .margin(10)
            .caption(format!("{rate} messages/s"), ("sans-serif", 16))
            .x_label_area_size(36)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..4.0_f64, (0.5..20_000.0_f64).log_scale())?;
        chart
            .configure_mesh()
            .x_labels(5)
            .x_label_formatter(&|nines| match nines.round() as u32 {
                0 => "0".into(),
                1 => "90".into(),
                2 => "99".into(),
                3 => "99.9".into(),
                _ => "99.99".into(),
            })
            .x_desc("percentile")
            .y_desc("microseconds")
            .label_style(("sans-serif", 12))
            .light_line_style(WHITE)
            .draw()?;
        for (name, color, _, sorted) in curves.iter().filter(|(_, _, of, _)| *of == rate) {
            let points = (0..=80).map(|step| {
                let nines = f64::from(step) / 20.0;
                let percent = 100.0 * (1.0 - 10_f64.powf(-nines));
                (nines, percentile(sorted, percent).max(0.5))
            });
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(*name)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2)));
        }
        if rate == RATES[0] {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .label_font(("sans-serif", 12))
                .background_style(WHITE.mix(0.8))
                .draw()?;
        }
    }
    area.present()?;
    Ok(())
}
