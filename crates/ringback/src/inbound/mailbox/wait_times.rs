// SPDX-License-Identifier: MIT OR Apache-2.0

//! How long messages wait: a histogram per mailbox, behind the feature `histogram`.

use hdrhistogram::Histogram;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Written by the consumer, one message at a time; the lock is only ever waited for by someone who
/// reads.
pub(crate) struct Recorder(Mutex<Histogram<u64>>);

/// From a nanosecond to an hour, two digits that matter.
const LONGEST: u64 = 3_600_000_000_000;

impl Recorder {
    pub(crate) fn new() -> Option<Self> {
        Histogram::new_with_bounds(1, LONGEST, 2)
            .ok()
            .map(|histogram| Recorder(Mutex::new(histogram)))
    }

    pub(crate) fn record(&self, nanoseconds: u64) {
        let mut histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.saturating_record(nanoseconds.max(1));
    }

    pub(crate) fn read(&self) -> WaitTimes {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| Duration::from_nanos(histogram.value_at_quantile(quantile));
        WaitTimes {
            messages: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            longest: Duration::from_nanos(histogram.max()),
        }
    }
}

/// How long the messages of one registration waited between the foreign call and the moment they
/// were taken out of the mailbox, expired ones included. Exact to one percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitTimes {
    /// Messages measured.
    pub messages: u64,
    /// Half of them waited no longer.
    pub p50: Duration,
    /// Nine of ten.
    pub p90: Duration,
    /// 99 of 100.
    pub p99: Duration,
    /// 999 of 1,000.
    pub p999: Duration,
    /// The longest.
    pub longest: Duration,
}
