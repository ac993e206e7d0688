// SPDX-License-Identifier: MIT OR Apache-2.0

//! The free slots of a pool: first in, first out, so that a slot rests as long as possible.
//!
//! # State
//! A slot is *fresh* (never used), in the *list* that the lock guards, or *returned*: on a lock-free
//! stack, since the one who gives a slot back may be a foreign thread that happens to be the last
//! one out, and that takes no lock. Whoever needs a slot takes fresh ones first; then it moves the
//! whole stack, turned round, behind the list and takes the list's first.
//!
//! The stack is only ever pushed to and taken as a whole, so it has no ABA problem.
//!
//! Under the lock are a few links and nothing else: no user code, no foreign code, no allocation.

use super::slot::Slot;
use crate::sync::{AtomicU32, Mutex, MutexGuard, Ordering::*};
use std::sync::PoisonError;

/// The most slots that can be numbered: 0 means none, and the count itself must fit.
pub(crate) const MOST: usize = u32::MAX as usize - 1;

pub(crate) struct FreeList {
    list: Mutex<List>,
    returned: AtomicU32,
}

/// Slots by number, which is index + 1.
pub(crate) struct List {
    fresh: u32,
    first: u32,
    last: u32,
}

impl FreeList {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            FreeList {
                list: Mutex::new(List { fresh: 0, first: 0, last: 0 }),
                returned: AtomicU32::new(0),
            }
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, List> {
        // Nothing panics while it is held, so it is never poisoned.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index of a fresh slot, else of the one that has been free for longest.
    pub(crate) fn take(&self, slots: &[Slot]) -> Option<usize> {
        let mut list = self.lock();
        if (list.fresh as usize) < slots.len() {
            list.fresh += 1;
            return Some(list.fresh as usize - 1);
        }
        self.collect_returned(&mut list, slots);
        let index = (list.first as usize).checked_sub(1)?;
        list.first = slots[index].next_free.load(Relaxed);
        if list.first == 0 {
            list.last = 0;
        }
        Some(index)
    }

    fn collect_returned(&self, list: &mut List, slots: &[Slot]) {
        let mut newest = self.returned.swap(0, Acquire);
        let (mut oldest, last) = (0, newest);
        while newest != 0 {
            let below = slots[newest as usize - 1].next_free.swap(oldest, Relaxed);
            oldest = newest;
            newest = below;
        }
        if oldest == 0 {
            return;
        }
        match list.last {
            0 => list.first = oldest,
            end => slots[end as usize - 1].next_free.store(oldest, Relaxed),
        }
        list.last = last;
    }

    /// Gives a slot back. Lock-free.
    pub(crate) fn put_back(&self, slots: &[Slot], index: usize) {
        let number = index as u32 + 1; // fits: at most `MOST` slots
        let mut top = self.returned.load(Relaxed);
        loop {
            slots[index].next_free.store(top, Relaxed);
            match self.returned.compare_exchange_weak(top, number, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }
}
