// SPDX-License-Identifier: MIT OR Apache-2.0

//! The oracle: what a pool is, without its pointers, threads, barriers and races.

use crate::operation::Kind;
use crate::{FALLBACK, ON_BUSY, ON_WRONG_THREAD};
use ringback::{Reuse, SlotState};
use std::collections::VecDeque;

/// A listener, numbered through one run.
pub(crate) type Id = usize;

#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) state: SlotState,
    /// Whom a call reaches.
    pub(crate) active: Option<Id>,
    /// What keeps the slot: listeners that are not gone, guards, handles, a reservation.
    pins: usize,
    pub(crate) stale: u32,
    pub(crate) calls: u64,
    /// How it was closed last, perhaps by an earlier run.
    closed: Option<Closed>,
    /// Calls that are inside by being counted in the slot, by phase, and where the next one counts.
    counted: [usize; 2],
    phase: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// A line of the program said so.
    ByLine,
    /// Its guard was dropped, or its one call came.
    Silently,
}

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) slot: usize,
    pub(crate) kind: Kind,
    /// How many calls are inside, on the thread that does everything and parked on others.
    pub(crate) inside: usize,
    pub(crate) parked: usize,
    /// A guard is left.
    guard: bool,
    /// Calls reach it.
    open: bool,
    /// A once-listener's closure has been used up by its call.
    used_up: bool,
    /// Another took its place.
    replaced: bool,
    /// Which of the slot's counters was seen at zero since it was closed.
    drained: [bool; 2],
    dropped: bool,
}

impl Slot {
    /// What a description tells of its end: nothing while somebody has it.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.closed.filter(|_| !matches!(self.state, SlotState::Live | SlotState::Reserved))
    }
}

impl Listener {
    pub(crate) fn is_quiet(&self) -> bool {
        self.dropped
    }

    fn calls(&mut self, here: bool) -> &mut usize {
        if here { &mut self.inside } else { &mut self.parked }
    }

    /// What it captured has been dropped.
    pub(crate) fn is_dropped(&self) -> bool {
        self.dropped || self.used_up
    }
}

/// How it is known that a call is inside: by a cell of its thread, or by a count in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Cell,
    Count(usize),
}

/// Cells of a thread's record.
const CELLS: usize = 15;

/// What a call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meets {
    Listener(Id, Way),
    Nobody(i32),
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) slots: Vec<Slot>,
    pub(crate) listeners: Vec<Listener>,
    reuse: Reuse,
    /// The pool counts all its calls.
    always_counted: bool,
    /// Cells in use on the thread that does everything.
    cells: usize,
    never_used: usize,
    free: VecDeque<usize>,
    pub(crate) stale: u64,
    pub(crate) panicked: u64,
    pub(crate) busy: u64,
    pub(crate) wrong_thread: u64,
}

impl Model {
    pub(crate) fn new(slots: usize, reuse: Reuse, always_counted: bool) -> Model {
        let empty = Slot {
            state: SlotState::Free,
            active: None,
            pins: 0,
            stale: 0,
            calls: 0,
            closed: None,
            counted: [0; 2],
            phase: 0,
        };
        Model {
            slots: vec![empty; slots],
            listeners: Vec::new(),
            reuse,
            always_counted,
            cells: 0,
            never_used: 0,
            free: VecDeque::new(),
            stale: 0,
            panicked: 0,
            busy: 0,
            wrong_thread: 0,
        }
    }

    /// The slots in the order in which they will be taken.
    pub(crate) fn next_slots(&self) -> Vec<usize> {
        (self.never_used..self.slots.len()).chain(self.free.iter().copied()).collect()
    }

    /// Takes a slot: a fresh one, else the one that has been free for longest.
    pub(crate) fn take(&mut self) -> Option<usize> {
        let index = if self.never_used < self.slots.len() {
            self.never_used += 1;
            self.never_used - 1
        } else {
            self.free.pop_front()?
        };
        let slot = &mut self.slots[index];
        assert_eq!((slot.state, slot.pins, slot.active), (SlotState::Free, 0, None));
        slot.state = SlotState::Reserved;
        slot.pins = 1;
        Some(index)
    }

    fn add(&mut self, slot: usize, kind: Kind) -> Id {
        if matches!(kind, Kind::Once | Kind::WithHandle) {
            self.slots[slot].pins += 1; // its own handle
        }
        self.listeners.push(Listener {
            slot,
            kind,
            inside: 0,
            parked: 0,
            guard: true,
            open: true,
            used_up: false,
            replaced: false,
            drained: [false; 2],
            dropped: false,
        });
        self.slots[slot].active = Some(self.listeners.len() - 1);
        self.listeners.len() - 1
    }

    /// A listener in a slot that was taken.
    pub(crate) fn open(&mut self, slot: usize, kind: Kind) -> Id {
        self.slots[slot].state = SlotState::Live;
        self.add(slot, kind)
    }

    pub(crate) fn call(&mut self, slot: usize, here: bool) -> Meets {
        self.slots[slot].calls += 1;
        let Some(id) = self.slots[slot].active else {
            self.slots[slot].stale += 1;
            self.stale += 1;
            return Meets::Nobody(FALLBACK);
        };
        let listener = &self.listeners[id];
        if listener.kind == Kind::Local && !here {
            self.wrong_thread += 1;
            return Meets::Nobody(ON_WRONG_THREAD);
        }
        let way = self.enter(slot, here);
        let listener = &mut self.listeners[id];
        if listener.kind == Kind::Exclusive && listener.inside + listener.parked > 0 {
            self.busy += 1;
            self.exit(slot, way, here);
            return Meets::Nobody(ON_BUSY);
        }
        *listener.calls(here) += 1;
        if listener.kind == Kind::Once {
            self.close(slot, Closed::Silently);
        }
        Meets::Listener(id, way)
    }

    fn enter(&mut self, slot: usize, here: bool) -> Way {
        if self.always_counted || (here && self.cells == CELLS) {
            let phase = self.slots[slot].phase;
            self.slots[slot].counted[phase] += 1;
            return Way::Count(phase);
        }
        self.cells += usize::from(here);
        Way::Cell
    }

    fn exit(&mut self, slot: usize, way: Way, here: bool) {
        match way {
            Way::Cell => self.cells -= usize::from(here),
            Way::Count(phase) => self.slots[slot].counted[phase] -= 1,
        }
        self.sweep(slot);
    }

    pub(crate) fn leave(&mut self, id: Id, way: Way, here: bool, panics: bool) {
        let listener = &mut self.listeners[id];
        *listener.calls(here) -= 1;
        listener.used_up = listener.kind == Kind::Once;
        self.panicked += u64::from(panics);
        self.exit(self.listeners[id].slot, way, here);
    }

    /// Closes the slot; false if nobody was there.
    pub(crate) fn close(&mut self, slot: usize, how: Closed) -> bool {
        let Some(id) = self.slots[slot].active.take() else { return false };
        self.slots[slot].state = SlotState::Retired;
        self.slots[slot].closed = Some(how);
        self.listeners[id].open = false;
        self.sweep(slot);
        true
    }

    /// Retires the listener if it is still open.
    pub(crate) fn retire(&mut self, id: Id, how: Closed) {
        if self.listeners[id].open {
            self.close(self.listeners[id].slot, how);
        }
    }

    /// Another in its place; `None` if it was closed before.
    pub(crate) fn replace(&mut self, old: Id, kind: Kind) -> Option<Id> {
        let slot = self.listeners[old].slot;
        if !self.listeners[old].open {
            return None;
        }
        self.slots[slot].pins += 1;
        self.listeners[old].open = false;
        self.listeners[old].replaced = true;
        let new = self.add(slot, kind);
        self.sweep(slot);
        Some(new)
    }

    /// Who is closed and has nobody inside is dropped. Where calls are counted, that is when each of the
    /// slot's counters has been at zero since: whom a counted call is inside of is not known.
    fn sweep(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let zero = slot.counted.map(|calls| calls == 0);
        let mut missing = [false; 2];
        let mut dropped = Vec::new();
        for (id, listener) in self.listeners.iter_mut().enumerate() {
            if listener.slot != index || listener.open || listener.dropped {
                continue;
            }
            let nobody_inside = listener.inside + listener.parked == 0;
            if listener.kind == Kind::Local {
                if nobody_inside {
                    dropped.push(id); // its own thread knows
                }
                continue;
            }
            for phase in 0..2 {
                listener.drained[phase] |= zero[phase];
                missing[phase] |= !listener.drained[phase];
            }
            if listener.drained == [true; 2] && nobody_inside {
                dropped.push(id);
            }
        }
        // New calls count elsewhere, so that this counter comes to zero, once the other one is free.
        if missing[slot.phase] && zero[1 - slot.phase] {
            slot.phase = 1 - slot.phase;
        }
        for id in dropped {
            self.listeners[id].dropped = true;
            let Listener { kind, guard, .. } = self.listeners[id];
            if matches!(kind, Kind::Once | Kind::WithHandle) {
                self.unpin(index);
            }
            if !guard {
                self.unpin(index);
            }
        }
    }

    /// The guard goes away, whatever it was by then.
    pub(crate) fn release(&mut self, id: Id) {
        self.retire(id, Closed::Silently);
        assert!(std::mem::replace(&mut self.listeners[id].guard, false));
        if self.listeners[id].dropped {
            self.unpin(self.listeners[id].slot);
        }
    }

    pub(crate) fn pin(&mut self, slot: usize) {
        self.slots[slot].pins += 1;
    }

    pub(crate) fn unpin(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.pins -= 1;
        if slot.pins > 0 {
            return;
        }
        slot.state = match (self.reuse, slot.state) {
            (Reuse::Never, _) => SlotState::Spent,
            (Reuse::AfterConfirmation, SlotState::Confirmed) | (Reuse::OldestFirst, _) => {
                SlotState::Free
            }
            (Reuse::AfterConfirmation, _) => SlotState::Quarantined,
            (reuse, _) => panic!("the model does not know the policy {reuse:?}"),
        };
        if slot.state == SlotState::Free {
            self.free.push_back(index);
        }
    }

    /// By the proof of quiet; says nothing where another listener took this one's place.
    pub(crate) fn confirm_by_proof(&mut self, id: Id) {
        let listener = &self.listeners[id];
        let slot = &mut self.slots[listener.slot];
        if !listener.replaced && slot.state == SlotState::Retired {
            slot.state = SlotState::Confirmed;
        }
    }

    /// By the pointer.
    pub(crate) fn confirm_pointer(&mut self, index: usize) -> Result<(), SlotState> {
        let slot = &mut self.slots[index];
        if slot.state != SlotState::Quarantined {
            return Err(slot.state);
        }
        slot.state = SlotState::Free;
        self.free.push_back(index);
        Ok(())
    }

    pub(crate) fn count(&self, of: &[SlotState]) -> usize {
        self.slots.iter().filter(|slot| of.contains(&slot.state)).count()
    }
}
