//! What came of it: the table, and whether the accounts are in order.

use crate::bus::Counts;
use std::fmt;
use std::time::Duration;

/// The accounts of one job.
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// Messages that reached a listener of the key that they were sent to.
    pub(crate) delivered: u64,
    /// Messages that reached a listener of another key.
    pub(crate) misdelivered: u64,
    /// One of those.
    pub(crate) evidence: Option<String>,
    /// Calls through the functions of listeners that had been unregistered.
    pub(crate) stale: u64,
    pub(crate) listeners: usize,
    pub(crate) churned: usize,
    pub(crate) threads: usize,
    /// From the first message sent to the last one dispatched.
    pub(crate) elapsed: Duration,
}

impl Outcome {
    /// Everything that should not have happened.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let Outcome { counts, delivered, misdelivered, stale, .. } = self;
        let mut complaints = Vec::new();
        if *misdelivered > 0 {
            let evidence = self.evidence.as_deref().unwrap_or("none was noted");
            complaints.push(format!(
                "{} messages were misdelivered; one of them: {evidence}",
                grouped(*misdelivered)
            ));
        }
        if delivered + misdelivered + stale != counts.dispatched {
            complaints.push(format!(
                "{} calls were dispatched, but {delivered} delivered, {misdelivered} misdelivered \
                 and {stale} stale",
                counts.dispatched
            ));
        }
        if counts.dispatched + counts.unhandled != counts.sent {
            complaints.push(format!(
                "{} messages were sent, but {} dispatched and {} unhandled",
                counts.sent, counts.dispatched, counts.unhandled
            ));
        }
        complaints
    }

    /// In a listener, its C function and the C++ handler around it.
    fn nanoseconds_per_dispatch(&self) -> f64 {
        self.counts.nanoseconds as f64 / self.counts.dispatched.max(1) as f64
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("sent", grouped(self.counts.sent), "messages"),
            ("delivered", grouped(self.delivered), "to a listener of their key"),
            ("stale", grouped(self.stale), "through the function of a listener that had ended"),
            ("unhandled", grouped(self.counts.unhandled), "while their key had no listener"),
            ("misdelivered", grouped(self.misdelivered), "to a listener of another key"),
            ("listeners", grouped(self.listeners as u64), "each behind a C function of its own"),
            ("churned", grouped(self.churned as u64), "of them unregistered and registered anew"),
            ("threads", grouped(self.threads as u64), "dispatching"),
            (
                "nanoseconds per dispatch",
                format!("{:.1}", self.nanoseconds_per_dispatch()),
                "in the handler, by the dispatchers' clocks",
            ),
            (
                "seconds",
                format!("{:.2}", self.elapsed.as_secs_f64()),
                "from the first message to the last",
            ),
        ];
        for (what, value, note) in rows {
            writeln!(f, "{what:<24}  {value:>14}  {note}")?;
        }
        Ok(())
    }
}

/// A number with its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
