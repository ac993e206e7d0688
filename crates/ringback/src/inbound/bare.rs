// SPDX-License-Identifier: MIT OR Apache-2.0

//! What stands in the place of threads, barriers and locks where there is no `std`: every call is
//! counted in its slot, nothing waits, and free slots are found by looking.
//!
//! So nothing here may block: an interrupt handler can call, register and retire at any moment.

pub(crate) mod barrier {
    use super::record::Record;
    use crate::sync::{Ordering::*, fence};

    /// Nothing is to be chosen: calls are counted.
    pub(crate) fn ensure() {}

    pub(crate) fn callers_fence() -> bool {
        false
    }

    /// There is no lock.
    pub(crate) struct NoLock;

    pub(crate) fn lock_choice() -> NoLock {
        NoLock
    }

    #[derive(Debug)]
    pub(crate) struct Refused;

    /// The retirer's half against `Slot::enter_counted`.
    #[allow(clippy::unnecessary_wraps)] // as with `std`
    pub(crate) fn heavy_fence(_: Option<&Record>) -> Result<(), Refused> {
        fence(SeqCst);
        Ok(())
    }
}

pub(crate) mod record {
    use crate::inbound::slot::{Header, Protectors, Slot};
    use crate::sync::AtomicPtr;

    /// Nobody has one.
    pub(crate) enum Record {}

    impl Record {
        pub(crate) fn first_cell(&self) -> &AtomicPtr<Header> {
            match *self {}
        }

        pub(crate) fn keep_slot(&self, _: &'static Slot) {
            match *self {}
        }

        /// # Safety
        /// There is nobody to call it.
        pub(crate) unsafe fn kept_slot(&self) -> &'static Slot {
            match *self {}
        }
    }

    /// No call is recorded.
    pub(crate) struct Registry;
    pub(crate) static THREADS: Registry = Registry;

    impl Protectors for Registry {
        fn protects(&self, _: *mut Header) -> bool {
            false
        }
    }
}

pub(crate) mod thread {
    use super::record::Record;
    use crate::inbound::slot::Header;
    use crate::sync::AtomicPtr;

    #[inline(always)]
    pub(crate) fn fast_record() -> Option<&'static Record> {
        None
    }

    #[inline(always)]
    pub(crate) fn nested_cell() -> Option<&'static AtomicPtr<Header>> {
        None
    }

    pub(crate) fn free_cell() -> Option<&'static AtomicPtr<Header>> {
        None
    }

    pub(crate) fn equip() -> bool {
        false
    }

    pub(crate) fn record() -> Option<&'static Record> {
        None
    }

    pub(crate) fn begin_counted(_: *mut Header) {}

    pub(crate) fn end_counted() {}

    /// Whoever calls is the same: what is taken is busy for all.
    pub(crate) fn number() -> u64 {
        1
    }
}

pub(crate) mod free {
    use crate::inbound::core::SlotState;
    use crate::inbound::slot::Slot;
    use crate::sync::{AtomicU32, Ordering::*};

    /// The most slots of a pool.
    pub(crate) const MOST: usize = u32::MAX as usize - 1;

    /// Free slots, found by their state; lock-free, in time proportional to the pool.
    ///
    /// `Slot::next_free` holds the number of the return, so that the oldest is known.
    pub(crate) struct FreeList {
        returns: AtomicU32,
    }

    impl FreeList {
        pub(crate) const fn new() -> Self {
            FreeList { returns: AtomicU32::new(0) }
        }

        /// The index of the slot that has been free for longest, fresh ones first.
        pub(crate) fn take(&self, slots: &[Slot]) -> Option<usize> {
            loop {
                let now = self.returns.load(Relaxed);
                let free = slots
                    .iter()
                    .enumerate()
                    .filter(|(_, slot)| SlotState::of(slot) == SlotState::Free);
                let age = |slot: &Slot| now.wrapping_sub(slot.next_free.load(Relaxed));
                // The first of the oldest.
                let (index, slot) = free.rev().max_by_key(|(_, slot)| age(slot))?;
                let (from, to) = (SlotState::Free as u8, SlotState::Reserved as u8);
                if slot.state.compare_exchange(from, to, AcqRel, Relaxed).is_ok() {
                    return Some(index);
                }
            }
        }

        /// Notes when the slot was given back.
        pub(crate) fn put_back(&self, slots: &[Slot], index: usize) {
            let now = self.returns.fetch_add(1, Relaxed).wrapping_add(1);
            slots[index].next_free.store(now, Relaxed);
        }
    }
}
