// SPDX-License-Identifier: MIT OR Apache-2.0

//! What became of every message.

use super::shared::{Queue, Shared};
use crate::sync::Ordering::*;
use std::fmt;
use std::sync::PoisonError;

/// What became of every message of one registration. Exact once quiet (no call inside, nobody
/// delivering); read while messages flow, the fields are from slightly different moments.
///
/// ```text
/// sent     = accepted + declined + rejected
/// accepted = completed + panicked + cancelled + running + queued
///          + displaced + coalesced + expired + discarded
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Calls whose message was queued.
    pub accepted: u64,
    /// Calls that the taking function turned down, or in which it panicked.
    pub declined: u64,
    /// Calls whose message found no room, or a mailbox that was closing or whose end was dropped.
    pub rejected: u64,
    /// Messages whose listener ran to its end; for a pulled mailbox, those handed out.
    pub completed: u64,
    /// Messages whose listener panicked.
    pub panicked: u64,
    /// Messages whose listener was dropped before its end.
    pub cancelled: u64,
    /// Messages whose listener is running now: 0 or 1, or the size of a batch.
    pub running: u64,
    /// Messages that wait.
    pub queued: u64,
    /// Messages dropped for a newer one, because the mailbox was full.
    pub displaced: u64,
    /// Messages replaced by a newer one with the same key.
    pub coalesced: u64,
    /// Messages dropped because they had waited too long.
    pub expired: u64,
    /// Messages dropped undelivered because the mailbox ended.
    pub discarded: u64,
    /// The most messages that were seen waiting, looked at on every 64th take and whenever one found
    /// no room.
    pub high_water: u64,
    /// The most that may wait.
    pub capacity: u64,
    /// Bytes allocated for messages now.
    pub allocated_bytes: u64,
}

impl Counts {
    /// Calls that reached the mailbox.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.accepted + self.declined + self.rejected
    }

    /// Accepted messages that none of the counts explains: 0 once quiet.
    #[must_use]
    pub fn unaccounted(&self) -> i64 {
        let Counts { completed, panicked, cancelled, running, queued, .. } = *self;
        let Counts { displaced, coalesced, expired, discarded, .. } = *self;
        let known = completed + panicked + cancelled + running + queued;
        self.accepted
            .wrapping_sub(known + displaced + coalesced + expired + discarded)
            .cast_signed()
    }

    pub(crate) fn of<M>(shared: &Shared<M>) -> Self {
        let (accepted, popped) = shared.passed();
        let (capacity, allocated) = match &shared.queue {
            Queue::Ring(ring) => (ring.capacity(), ring.allocated_bytes()),
            Queue::Keyed(keyed) => {
                let keyed = keyed.lock().unwrap_or_else(PoisonError::into_inner);
                (keyed.capacity(), keyed.allocated_bytes())
            }
        };
        let queued = accepted.wrapping_sub(popped);
        Counts {
            accepted,
            declined: shared.declined.load(Relaxed),
            rejected: shared.rejected.load(Relaxed),
            completed: shared.delivered.completed.load(Relaxed),
            panicked: shared.delivered.panicked.load(Relaxed),
            cancelled: shared.delivered.cancelled.load(Relaxed),
            running: shared.delivered.running.load(Relaxed),
            queued,
            displaced: shared.displaced.load(Relaxed),
            coalesced: shared.coalesced.load(Relaxed),
            expired: shared.delivered.expired.load(Relaxed),
            discarded: shared.delivered.discarded.load(Relaxed),
            high_water: (shared.delivered.high_water.load(Relaxed) as u64).max(queued),
            capacity: capacity as u64,
            allocated_bytes: allocated as u64,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.sent();
        let Counts { accepted, declined, rejected, completed, panicked, cancelled, .. } = self;
        let Counts { running, queued, displaced, coalesced, expired, discarded, .. } = self;
        write!(
            f,
            "{sent} sent = {accepted} accepted + {declined} declined + {rejected} rejected; accepted \
             = {completed} completed + {panicked} panicked + {cancelled} cancelled + {running} \
             running + {queued} queued + {displaced} displaced + {coalesced} coalesced + {expired} \
             expired + {discarded} discarded"
        )
    }
}
