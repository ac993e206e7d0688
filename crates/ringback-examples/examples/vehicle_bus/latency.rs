// SPDX-License-Identifier: MIT OR Apache-2.0

//! How long messages take to their listeners.

use hdrhistogram::Histogram;
use std::sync::{Mutex, PoisonError};

/// Longer ones count as this: a minute in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// One histogram for every so many listeners, so that they seldom meet at its lock.
const SHARDS: usize = 16;

/// Durations in nanoseconds, noted by many listeners at once.
pub(crate) struct Latency([Mutex<Histogram<u64>>; SHARDS]);

/// The durations that so large a part of the messages did not exceed, in nanoseconds; 0 without
/// messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p99_9: u64,
}

fn histogram() -> Histogram<u64> {
    // Two digits are kept: one percent.
    Histogram::new_with_bounds(1, LONGEST, 2).expect("bounds that the crate allows")
}

impl Latency {
    pub(crate) fn new() -> Self {
        Latency(std::array::from_fn(|_| Mutex::new(histogram())))
    }

    /// Notes one duration; `listener` is any number that is always the same for one listener.
    pub(crate) fn note(&self, listener: usize, nanoseconds: u64) {
        let mut shard = self.0[listener % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        shard.saturating_record(nanoseconds.max(1));
    }

    /// All together.
    pub(crate) fn percentiles(&self) -> Percentiles {
        let mut all = histogram();
        for shard in &self.0 {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            all.add(&*shard).expect("the same bounds");
        }
        let [p50, p99, p99_9] = [0.5, 0.99, 0.999].map(|part| all.value_at_quantile(part));
        Percentiles { p50, p99, p99_9 }
    }
}
