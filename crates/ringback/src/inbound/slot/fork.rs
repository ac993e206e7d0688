// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a fork does to a slot: in the child, the threads are gone that were at work on it.

use super::*;

impl Slot {
    /// In the child of a fork, by its only thread, which has this number: whoever swept is gone, and the
    /// listeners with it that it had taken off the list; and so is whoever called.
    ///
    /// `boxes` are all that the slot has. `own` says how many counted calls of this thread are inside of
    /// a header, `None` where that is not known.
    pub(crate) fn after_fork(
        &self,
        thread: u64,
        boxes: impl Iterator<Item = NonNull<Header>>,
        own: impl Fn(*mut Header) -> Option<u32>,
    ) {
        if self.sweep.load(Relaxed) != IDLE {
            self.sweep.store(IDLE, Relaxed);
        }
        let active = header_in(&self.active, Relaxed);
        let retired = core::iter::successors(NonNull::new(self.retired.load(Relaxed)), |header| {
            // SAFETY: on the list, so alive, and nobody takes it off meanwhile.
            NonNull::new(unsafe { header.as_ref() }.next.with(|next| unsafe { *next }))
        });
        let mut counted = self.inflight.iter().map(|calls| calls.load(Relaxed)).sum::<u32>();
        for header in boxes.chain([NonNull::from(&self.first)]) {
            counted = counted.saturating_sub(own(header.as_ptr()).unwrap_or(u32::MAX));
            // SAFETY: a part of the slot, or of a box that is never freed.
            let state = &unsafe { header.as_ref() }.state;
            let now = state.load(Relaxed);
            // One that has no proof yet, or is bound to this thread, is in good hands.
            let bound_here = now & ENDED != 0 && self.bound_thread.load(Relaxed) == thread;
            let known = active == header.as_ptr() || retired.clone().any(|other| other == header);
            if now & (LISTENER | UNPROVED) == LISTENER && !bound_here && !known {
                state.store(now | LOST, Relaxed);
            }
        }
        if counted != 0 {
            self.left_behind.store(true, Relaxed);
        }
    }
}
