// SPDX-License-Identifier: MIT OR Apache-2.0

//! What came of it: the table, and whether the accounts are in order.

use crate::bus::Counts;
use crate::delivery::{Accounts, Latencies};
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
    /// From the first message sent until the last one was handled and all listeners ended.
    pub(crate) elapsed: Duration,
    /// What there is to say of async listeners.
    pub(crate) asynchronous: Option<AsyncOutcome>,
}

/// What async listeners add to the accounts.
pub(crate) struct AsyncOutcome {
    pub(crate) accounts: Accounts,
    /// Messages that came after a later one of the same dispatcher thread.
    pub(crate) out_of_order: u64,
    /// One of those.
    pub(crate) overtaken: Option<String>,
    pub(crate) latencies: Latencies,
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
        let Accounts { rejected, discarded, .. } = self.accounts();
        if delivered + misdelivered + stale + rejected + discarded != counts.dispatched {
            complaints.push(format!(
                "{} calls were dispatched, but {delivered} delivered, {misdelivered} misdelivered, \
                 {stale} stale, {rejected} rejected and {discarded} discarded",
                counts.dispatched
            ));
        }
        if counts.dispatched + counts.unhandled != counts.sent {
            complaints.push(format!(
                "{} messages were sent, but {} dispatched and {} unhandled",
                counts.sent, counts.dispatched, counts.unhandled
            ));
        }
        if let Some(asynchronous) = &self.asynchronous {
            complaints.extend(asynchronous.complaints(*delivered + *misdelivered));
        }
        complaints
    }

    /// All 0 for sync listeners.
    fn accounts(&self) -> Accounts {
        self.asynchronous.as_ref().map_or_else(Accounts::default, |of| of.accounts)
    }

    /// In a listener, its C function and the C++ handler around it.
    fn nanoseconds_per_dispatch(&self) -> f64 {
        self.counts.nanoseconds as f64 / self.counts.dispatched.max(1) as f64
    }
}

impl AsyncOutcome {
    fn complaints(&self, handled: u64) -> Vec<String> {
        let Accounts { sent, rejected, completed, discarded, unbalanced } = self.accounts;
        let mut complaints = Vec::new();
        if self.out_of_order > 0 {
            let evidence = self.overtaken.as_deref().unwrap_or("none was noted");
            complaints.push(format!(
                "{} messages came out of order; one of them: {evidence}",
                grouped(self.out_of_order)
            ));
        }
        if unbalanced > 0 {
            complaints.push(format!("{unbalanced} mailboxes do not account for every message"));
        }
        if completed != handled || sent != completed + rejected + discarded {
            complaints.push(format!(
                "{sent} calls reached a mailbox, but {completed} messages were completed, {handled} \
                 handled, {rejected} rejected and {discarded} discarded"
            ));
        }
        complaints
    }
}

type Row = (&'static str, String, &'static str);

impl Outcome {
    fn rows(&self) -> Vec<Row> {
        let count = |what, number, note| (what, grouped(number), note);
        let mut rows = vec![
            count("sent", self.counts.sent, "messages"),
            count("delivered", self.delivered, "to a listener of their key"),
            count("stale", self.stale, "through the function of a listener that had ended"),
            count("unhandled", self.counts.unhandled, "while their key had no listener"),
        ];
        if let Some(AsyncOutcome { accounts, .. }) = &self.asynchronous {
            rows.extend([
                count("rejected", accounts.rejected, "by a mailbox that was full or closing"),
                count("discarded", accounts.discarded, "with the mailbox of a listener that ended"),
            ]);
        }
        rows.push(count("misdelivered", self.misdelivered, "to a listener of another key"));
        if let Some(AsyncOutcome { out_of_order, .. }) = &self.asynchronous {
            let note = "after a later one of the same dispatcher thread";
            rows.push(count("order violations", *out_of_order, note));
        }
        let listeners = match self.asynchronous {
            Some(_) => "async ones on tokio, each behind a C function of its own",
            None => "each behind a C function of its own",
        };
        rows.extend([
            count("listeners", self.listeners as u64, listeners),
            count("churned", self.churned as u64, "of them unregistered and registered anew"),
            count("threads", self.threads as u64, "dispatching"),
            (
                "nanoseconds per dispatch",
                format!("{:.1}", self.nanoseconds_per_dispatch()),
                "in the handler, by the dispatchers' clocks",
            ),
            (
                "seconds",
                format!("{:.2}", self.elapsed.as_secs_f64()),
                "from the first message to the end of the last listener",
            ),
        ]);
        if let Some(AsyncOutcome { latencies, .. }) = &self.asynchronous {
            let Latencies { since_sent, since_taken } = latencies;
            rows.extend([
                ("latency p50", microseconds(since_sent.p50), FROM_SEND),
                ("latency p99", microseconds(since_sent.p99), FROM_SEND),
                ("latency p99.9", microseconds(since_sent.p99_9), FROM_SEND),
                ("hand-over p50", microseconds(since_taken.p50), FROM_CALL),
                ("hand-over p99", microseconds(since_taken.p99), FROM_CALL),
                ("hand-over p99.9", microseconds(since_taken.p99_9), FROM_CALL),
            ]);
        }
        rows
    }
}

const FROM_SEND: &str = "microseconds from the send to the listener";
const FROM_CALL: &str = ".. from the call of the C function to the listener";

fn microseconds(nanoseconds: u64) -> String {
    if nanoseconds == 0 {
        return "-".into(); // no message was handled
    }
    let tenths = (nanoseconds + 50) / 100;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value, note) in self.rows() {
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
