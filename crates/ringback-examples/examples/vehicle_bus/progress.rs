// SPDX-License-Identifier: MIT OR Apache-2.0

//! How far the job is: a bar on a terminal, plain lines elsewhere.

use crate::report::grouped;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// Written to the standard error, so that the standard output holds the table alone.
pub(crate) enum Progress {
    Bar(ProgressBar),
    /// One line for each tenth.
    Lines {
        total: u64,
        tenths: u64,
    },
}

impl Progress {
    pub(crate) fn new(total: u64) -> Self {
        if !stderr().is_terminal() {
            return Progress::Lines { total, tenths: 0 };
        }
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} messages, {eta}");
        Progress::Bar(ProgressBar::new(total).with_style(style.expect("a valid template")))
    }

    /// So many messages have been sent.
    pub(crate) fn reach(&mut self, sent: u64) {
        match self {
            Progress::Bar(bar) => bar.set_position(sent),
            Progress::Lines { total, tenths } => {
                let now = (u128::from(sent) * 10 / u128::from(*total)) as u64;
                if now > *tenths {
                    *tenths = now;
                    eprintln!("{} of {} messages", grouped(sent), grouped(*total));
                }
            }
        }
    }

    /// All have been sent.
    pub(crate) fn finish(self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
