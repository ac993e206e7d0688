// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a pool tells about itself: counts, holders, and the error of a full pool.

use super::core::{Core, Reuse, SlotState};
use super::describe::Description;
use super::pool::Pool;
use super::signature::Signature;
use super::slot::Slot;
use crate::sync::Ordering::*;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::fmt;
use core::panic::Location;

/// How many slots are in which state, and who holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// The pool's name.
    pub pool: &'static str,
    /// The pool's reuse policy.
    pub reuse: Reuse,
    /// All slots.
    pub slots: usize,
    /// Slots that can be taken.
    pub free: usize,
    /// Slots reserved, with no listener yet.
    pub reserved: usize,
    /// Slots with a listener.
    pub live: usize,
    /// Closed slots that a call or a guard still holds.
    pub retired: usize,
    /// Quiet slots that wait for a confirmation.
    pub quarantined: usize,
    /// Slots that are never used again.
    pub spent: usize,
    /// Where the live, reserved and retired slots were taken, most slots first.
    pub holders: Vec<(&'static Location<'static>, usize)>,
}

impl Census {
    pub(crate) fn take(core: &Core) -> Census {
        let mut count = [0_usize; 7];
        let mut holders = BTreeMap::new();
        for slot in core.slots {
            let state = SlotState::of(slot);
            count[state as usize] += 1;
            if let SlotState::Live | SlotState::Reserved | SlotState::Retired | SlotState::Confirmed =
                state
                && let Some(place) = location(&slot.holder)
            {
                *holders.entry(place).or_insert(0) += 1;
            }
        }
        let mut holders: Vec<_> = holders.into_iter().collect();
        holders.sort_by_key(|(place, slots)| (usize::MAX - slots, place.file(), place.line()));
        let [free, reserved, live, retired, confirmed, quarantined, spent] = count;
        Census {
            pool: core.name,
            reuse: core.reuse,
            slots: core.slots.len(),
            free,
            reserved,
            live,
            retired: retired + confirmed,
            quarantined,
            spent,
            holders,
        }
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Census { slots, free, reserved, live, retired, quarantined, spent, .. } = self;
        write!(
            f,
            "{slots} slots: {live} live, {reserved} reserved, {retired} retired but still held, \
             {quarantined} quarantined, {spent} spent, {free} free"
        )?;
        let shown = 3;
        for (i, (place, slots)) in self.holders.iter().take(shown).enumerate() {
            let lead = if i == 0 { "; held by" } else { "," };
            write!(f, "{lead} {place} ({slots})")?;
        }
        if self.holders.len() > shown {
            write!(f, " and {} more places", self.holders.len() - shown)?;
        }
        Ok(())
    }
}

/// No slot is free. Nothing was registered, and the listener comes back.
pub struct Full<L> {
    /// What was to be registered.
    pub listener: L,
    /// Who holds the slots.
    pub census: Box<Census>,
}

/// As `Display`: it is what `unwrap` and a `main` that fails print, so it says the remedy too.
impl<L> fmt::Debug for Full<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<L> fmt::Display for Full<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let census = &self.census;
        write!(f, "pool {} is full ({census}); ", census.pool)?;
        f.write_str(match census.reuse {
            Reuse::AfterConfirmation if census.quarantined > 0 => {
                "confirm with Quiet::confirm_forgotten or Pool::confirm_forgotten once the foreign \
                 side holds no copy of a pointer, or declare more slots"
            }
            Reuse::Never if census.spent > 0 => {
                "declare more slots, or `reuse = after_confirmation`, since `never` uses each once"
            }
            _ => "unregister listeners, or declare more slots",
        })
    }
}

impl<L> core::error::Error for Full<L> {}

/// The registration has retired itself, so there is no listener to replace; the new one comes back.
pub struct AlreadyRetired<L> {
    /// What was to take its place.
    pub listener: L,
}

impl<L> fmt::Debug for AlreadyRetired<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlreadyRetired").finish_non_exhaustive()
    }
}

impl<L> fmt::Display for AlreadyRetired<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the registration has retired itself; register the listener anew")
    }
}

impl<L> core::error::Error for AlreadyRetired<L> {}

/// The slot of a pointer does not wait for [`Pool::confirm_forgotten`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotQuarantined {
    /// Where the slot stands instead; `None` if the pointer is none of the pool's functions.
    pub state: Option<SlotState>,
}

impl fmt::Display for NotQuarantined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            None => "the pointer is none of this pool's functions: ringback::describe says whose it is",
            Some(SlotState::Reserved) => "the slot is reserved: bind a listener, or drop the guard",
            Some(SlotState::Live) => "a listener is registered in the slot: retire it first",
            Some(SlotState::Retired) => {
                "a call is inside the slot's listener, or its guard or a handle is left: wait for quiet, \
                 then confirm that, or drop what is left and confirm the pointer again"
            }
            Some(SlotState::Confirmed) => {
                "the slot is confirmed already: it is free once no call is inside and no handle is left"
            }
            Some(SlotState::Free | SlotState::Quarantined) => {
                "the slot is free already: nothing is left to confirm"
            }
            Some(SlotState::Spent) => {
                "the slot is never used again, as `reuse = never` says: nothing is left to confirm"
            }
        })
    }
}

impl core::error::Error for NotQuarantined {}

/// Counters of one pool since the program started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Slots by state, and their holders.
    pub census: Census,
    /// All calls that came in; only where the pool was declared with `count_calls = true`.
    pub calls: Option<u64>,
    /// Calls that found no listener and got the fallback.
    pub stale: u64,
    /// Panics of listeners, of their destructors and of those of arguments that nobody took. Those of async
    /// listeners are in [`Counts`](crate::Counts).
    pub panicked: u64,
    /// Calls that found an `FnMut` listener taken.
    pub busy: u64,
    /// Calls of a thread-bound listener from another thread.
    pub wrong_thread: u64,
    /// Listeners kept because the kernel refused the barrier; see [`Pending::Unprovable`](crate::Pending).
    pub unproved: u64,
}

pub(crate) fn location(
    place: &crate::sync::AtomicPtr<Location<'static>>,
) -> Option<&'static Location<'static>> {
    // SAFETY: null, or made from a `&'static Location`.
    unsafe { place.load(Relaxed).as_ref() }
}

impl<S: Signature> Pool<S> {
    /// The pool's counters, read one by one while calls go on.
    #[must_use]
    pub fn stats(&'static self) -> Stats {
        let core = &self.core;
        Stats {
            census: Census::take(core),
            calls: S::COUNT_CALLS.then(|| S::calls().iter().map(|calls| calls.load(Relaxed)).sum()),
            stale: core.stale.load(Relaxed),
            panicked: core.panicked.load(Relaxed),
            busy: core.busy.load(Relaxed),
            wrong_thread: core.wrong_thread.load(Relaxed),
            unproved: core.unproved.load(Relaxed),
        }
    }

    /// Every slot that is reserved, live, or retired and still held.
    #[must_use]
    pub fn registrations(&'static self) -> Vec<Description> {
        let held = |(_, slot): &(usize, &Slot)| {
            !matches!(
                SlotState::of(slot),
                SlotState::Free | SlotState::Quarantined | SlotState::Spent
            )
        };
        self.core
            .slots
            .iter()
            .enumerate()
            .filter(held)
            .map(|(i, _)| self.core.describe(i))
            .collect()
    }

    /// Whose this pointer is, or was: slot, state, who took it, who retired it and when.
    /// `None` if it is not one of this pool's functions; [`describe`](crate::describe) knows them all.
    #[must_use]
    pub fn describe(&'static self, pointer: S::Pointer) -> Option<Description> {
        self.lookup(pointer).map(|index| self.core.describe(index))
    }
}
