// SPDX-License-Identifier: MIT OR Apache-2.0

//! The order that a listener may rely on: first in first out from each dispatcher thread.
//!
//! The bus's threads overtake each other, so the messages' own numbers say nothing about it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Where a message stands among those that one thread handed over, to whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which thread, from 0.
    pub(crate) thread: u32,
    /// Its how many-th message, from 1.
    pub(crate) number: u64,
}

impl Stamp {
    /// The calling thread's next one.
    pub(crate) fn next() -> Stamp {
        static THREADS: AtomicU32 = AtomicU32::new(0);
        thread_local!(static LAST: Cell<Option<Stamp>> = const { Cell::new(None) });
        let mut stamp = LAST
            .get()
            .unwrap_or_else(|| Stamp { thread: THREADS.fetch_add(1, Relaxed), number: 0 });
        stamp.number += 1;
        LAST.set(Some(stamp));
        stamp
    }
}

/// What one listener has seen of each thread.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The last number, by thread; 0 where there was none yet.
    last: Vec<u64>,
}

impl Order {
    /// Takes note of a message. An error is the number of a later one of its thread, or its own, that
    /// came before it.
    pub(crate) fn check(&mut self, stamp: Stamp) -> Result<(), u64> {
        let thread = stamp.thread as usize;
        if thread >= self.last.len() {
            self.last.resize(thread + 1, 0);
        }
        let last = &mut self.last[thread];
        if stamp.number <= *last {
            return Err(*last);
        }
        *last = stamp.number;
        Ok(())
    }
}
