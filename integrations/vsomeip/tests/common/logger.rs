// SPDX-License-Identifier: MIT OR Apache-2.0

//! What was logged, for tests that ask.

use log::{LevelFilter, Log, Metadata, Record};
use std::sync::Mutex;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recording(env_logger::Logger);

impl Log for Recording {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target().starts_with("ringback") {
            LINES.lock().unwrap().push(format!("{}: {}", record.level(), record.args()));
        }
        self.0.log(record);
    }

    fn flush(&self) {}
}

/// Records, and shows what `RUST_LOG` asks for.
pub fn start() {
    let shown = env_logger::Builder::from_default_env().is_test(true).build();
    if log::set_boxed_logger(Box::new(Recording(shown))).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// The lines so far that have this in them.
pub fn logged(part: &str) -> Vec<String> {
    LINES.lock().unwrap().iter().filter(|line| line.contains(part)).cloned().collect()
}
