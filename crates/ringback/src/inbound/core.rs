// SPDX-License-Identifier: MIT OR Apache-2.0

//! A pool without its types: which slots are free, who holds the others, when one may be used
//! again.
//!
//! # State
//! A slot's `state` walks `Free -> Reserved -> Live -> Retired -> (Confirmed ->) Free`, or ends in
//! `Quarantined` (until somebody confirms) or `Spent` as the [`Reuse`] policy says. `pins` counts
//! what keeps it: every header whose listener or handle is left, and every
//! [`Handle`](super::registration::Handle). Who drops the last pin gives the slot back to the
//! [`FreeList`].

use super::barrier::{self, Refused};
use super::free::{self, FreeList};
use super::process::{self, Membership};
use super::record::THREADS;
use super::slot::{ENDED, Erased, HANDLE, Header, LISTENER, Link, QUIET, Slot, UNPROVED};
use super::spare::Spares;
use super::thread;
use super::thunk::Table;
use super::waiter::Waiter;
use crate::boundary;
use crate::observer::{Event, report};
use crate::sync::{AtomicU64, Ordering::*, fence};
use core::panic::Location;
use core::ptr::NonNull;

/// When a slot whose listener is gone may serve a new one.
///
/// A bare C pointer cannot be revoked: foreign code that kept a copy can call it at any time. The
/// policy decides what such a stale call can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reuse {
    /// Never. A stale call always gets the fallback.
    Never,
    /// After [`Quiet::confirm_forgotten`](crate::Quiet::confirm_forgotten) or
    /// [`Pool::confirm_forgotten`](crate::Pool::confirm_forgotten) said that no copy of the pointer is
    /// left. The default.
    AfterConfirmation,
    /// When every slot that has been free for longer was used before. A stale call may then meet a
    /// later listener, which only the foreign library's own rules can exclude.
    OldestFirst,
}

/// Where a slot stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum SlotState {
    /// Never used, or may be used again.
    Free = 0,
    /// Its pointer is lent out by [`Pool::reserve`](crate::Pool::reserve); no listener yet.
    Reserved = 1,
    /// A listener is registered.
    Live = 2,
    /// Closed; a call may still be inside, or the program still holds its guard or a handle.
    Retired = 3,
    /// As `Retired`, and the foreign side is known to hold no copy of the pointer.
    Confirmed = 4,
    /// Quiet, and waiting for [`confirm_forgotten`](crate::Pool::confirm_forgotten).
    Quarantined = 5,
    /// Quiet, and never used again ([`Reuse::Never`]).
    Spent = 6,
}

impl SlotState {
    pub(crate) fn of(slot: &Slot) -> SlotState {
        SlotState::from_stored(slot.state.load(Acquire))
    }

    fn from_stored(state: u8) -> SlotState {
        const ALL: [SlotState; 7] = [
            SlotState::Free,
            SlotState::Reserved,
            SlotState::Live,
            SlotState::Retired,
            SlotState::Confirmed,
            SlotState::Quarantined,
            SlotState::Spent,
        ];
        ALL[usize::from(state)]
    }
}

/// Nanoseconds since the first call of this function.
#[cfg(feature = "std")]
pub(crate) fn now() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// There is no clock.
#[cfg(not(feature = "std"))]
pub(crate) fn now() -> u64 {
    0
}

/// Everything of a pool that does not depend on the signature.
pub(crate) struct Core {
    pub(crate) name: &'static str,
    pub(crate) slots: &'static [Slot],
    pub(crate) reuse: Reuse,
    pub(crate) table: Table,
    /// The calls of each slot; empty where the pool does not count them.
    pub(crate) calls: fn() -> &'static [AtomicU64],
    /// `protection = counter`: no call of this pool is recorded, whatever the process's protection is.
    always_counted: bool,
    pub(crate) membership: Membership,
    free: FreeList,
    pub(crate) stale: AtomicU64,
    pub(crate) panicked: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) wrong_thread: AtomicU64,
    pub(crate) unproved: AtomicU64,
    pub(crate) spares: Spares,
}

impl Core {
    pub(crate) const fn new(
        name: &'static str,
        slots: &'static [Slot],
        table: Table,
        calls: fn() -> &'static [AtomicU64],
        reuse: Reuse,
        always_counted: bool,
    ) -> Self {
        assert!(!slots.is_empty(), "a callback pool needs at least one slot");
        assert!(slots.len() <= free::MOST, "a callback pool has at most 2^32 - 2 slots");
        Core {
            name,
            slots,
            reuse,
            table,
            calls,
            always_counted,
            membership: Membership::new(),
            free: FreeList::new(),
            stale: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            wrong_thread: AtomicU64::new(0),
            unproved: AtomicU64::new(0),
            spares: Spares::new(),
        }
    }

    /// Takes a free slot: a fresh one, else the one that has been free for longest.
    pub(crate) fn take_slot(&'static self, holder: &'static Location<'static>) -> Option<usize> {
        barrier::ensure();
        process::join(self);
        let index = self.free.take(self.slots)?;
        let slot = &self.slots[index];
        slot.holder.store(core::ptr::from_ref(holder).cast_mut(), Relaxed);
        slot.pins.store(1, Relaxed);
        slot.state.store(SlotState::Reserved as u8, Release);
        Some(index)
    }

    /// The address of thunk `index`, which is below the number of slots, to be lent out.
    pub(crate) fn lend(&'static self, index: usize) -> *const () {
        process::join(self);
        self.table.address(index)
    }

    /// The slot whose thunk starts at `address`.
    pub(crate) fn lookup(&self, address: *const ()) -> Option<usize> {
        self.table.index(address, self.slots.len())
    }

    /// Held by the thread that forks, so that the child finds it free.
    #[cfg(feature = "std")]
    pub(crate) fn lock_free_list(&self) -> crate::sync::MutexGuard<'_, free::List> {
        self.free.lock()
    }

    pub(crate) fn pin(&self, index: usize) {
        // As with `Arc`: so many are only there if they are leaked, and one more round would give a slot that
        // is in use to somebody else.
        if self.slots[index].pins.fetch_add(1, Relaxed) > u32::MAX / 2 {
            boundary::abort();
        }
    }

    /// Drops one pin; the last one gives the slot back as the policy says.
    pub(crate) fn unpin(&self, index: usize) {
        let slot = &self.slots[index];
        if slot.pins.fetch_sub(1, AcqRel) != 1 {
            return;
        }
        let confirmed = SlotState::of(slot) == SlotState::Confirmed;
        let next = match self.reuse {
            Reuse::Never => SlotState::Spent,
            Reuse::AfterConfirmation if !confirmed => SlotState::Quarantined,
            Reuse::AfterConfirmation | Reuse::OldestFirst => SlotState::Free,
        };
        slot.state.store(next as u8, Release);
        if next == SlotState::Free {
            self.free.put_back(self.slots, index);
        }
    }

    /// The foreign side holds no copy of a retired slot's pointer: the slot may serve others once it
    /// is given back. Without effect where it is past that already. Lock-free.
    pub(crate) fn confirm(&self, index: usize) {
        let (from, to) = (SlotState::Retired as u8, SlotState::Confirmed as u8);
        let _ = self.slots[index].state.compare_exchange(from, to, AcqRel, Relaxed);
    }

    /// The same for a slot that was closed, perhaps by another thread that has not said so in its state yet.
    #[cfg(feature = "std")]
    pub(crate) fn confirm_closed(&self, index: usize) {
        let (from, to) = (SlotState::Live as u8, SlotState::Confirmed as u8);
        let _ = self.slots[index].state.compare_exchange(from, to, AcqRel, Relaxed);
        self.confirm(index);
    }

    /// Lets a quarantined slot be used again.
    pub(crate) fn release_quarantined(&self, index: usize) -> Result<(), SlotState> {
        let slot = &self.slots[index];
        let (from, to) = (SlotState::Quarantined as u8, SlotState::Free as u8);
        match slot.state.compare_exchange(from, to, AcqRel, Acquire) {
            Ok(_) => {
                self.free.put_back(self.slots, index);
                Ok(())
            }
            Err(state) => Err(SlotState::from_stored(state)),
        }
    }

    /// Opens a slot that the caller took.
    ///
    /// # Safety
    /// The slot came from `take_slot` and is not published; `erased` fits the pool's signature,
    /// may be called and dropped on any thread, or only on this one if `bound`.
    pub(crate) unsafe fn open(&'static self, index: usize, erased: Erased, bound: bool) -> Lease {
        let slot = &self.slots[index];
        // SAFETY: the caller owns the slot.
        let header = unsafe { slot.prepare(erased) };
        if bound {
            slot.bound_thread.store(thread::number(), Relaxed); // before publish, which releases
        }
        slot.state.store(SlotState::Live as u8, Release);
        let link = Link::new(header, bound);
        slot.publish(link);
        Lease { core: self, index, link }
    }

    /// Closes the slot if `link` is still its listener. What follows is `prove`, for one or many. `by` is
    /// the line that said so; none where a guard was dropped.
    pub(crate) fn close(
        &self,
        index: usize,
        link: Link,
        by: Option<&'static Location<'static>>,
    ) -> bool {
        let slot = &self.slots[index];
        let closed = slot.unlink(link, None);
        if closed {
            let by = by.map_or(core::ptr::null_mut(), |by| core::ptr::from_ref(by).cast_mut());
            slot.retirer.store(by, Relaxed);
            slot.since.store(now().max(1), Relaxed);
            // Not over a confirmation that came in between, see `confirm_closed`.
            let (from, to) = (SlotState::Live as u8, SlotState::Retired as u8);
            let _ = slot.state.compare_exchange(from, to, AcqRel, Relaxed);
        }
        closed
    }

    /// Between closing a slot and looking who is inside. Calls that are counted are in one order with it
    /// already (`Slot::enter_counted`), so a pool that counts them all asks nothing of other threads.
    pub(crate) fn barrier(&self) -> Result<(), Refused> {
        if self.always_counted {
            fence(SeqCst);
            return Ok(());
        }
        barrier::heavy_fence(thread::record())
    }

    /// The second half of retiring: the barrier, then whoever is not inside is finished.
    pub(crate) fn prove(&'static self, index: usize, link: Link) {
        let proved = link.is_bound() || self.barrier().is_ok();
        self.after_barrier(index, link, proved);
    }

    /// What follows the barrier; one barrier serves many.
    pub(crate) fn after_barrier(&'static self, index: usize, link: Link, proved: bool) {
        let slot = &self.slots[index];
        let header = link.header();
        if link.is_bound() {
            // SAFETY: unlinked by the caller, who is the bound thread; its listener keeps it.
            unsafe { header.as_ref() }.state.fetch_or(ENDED, Relaxed);
            // SAFETY: as above.
            unsafe { self.left_bound(index, header) };
            return;
        }
        if proved {
            slot.push(header);
            self.sweep(index);
            return;
        }
        // SAFETY: unlinked by the caller and on no list, so its listener keeps the header.
        unsafe { header.as_ref() }.state.fetch_or(UNPROVED, AcqRel);
        slot.give_up();
        self.unproved.fetch_add(1, Relaxed);
        report(&Event::BarrierRefused { pool: self.name });
    }

    /// Tries the barrier again for a header whose proof was refused. Called by its handle.
    pub(crate) fn prove_again(&'static self, index: usize, header: NonNull<Header>) -> bool {
        // SAFETY: the handle keeps the header.
        let state = unsafe { &header.as_ref().state };
        if state.load(Acquire) & UNPROVED == 0 {
            return true;
        }
        let slot = &self.slots[index];
        slot.wait_again();
        if self.barrier().is_err() {
            slot.give_up();
            return false;
        }
        state.fetch_and(!UNPROVED, AcqRel);
        self.unproved.fetch_sub(1, Relaxed);
        slot.push(header);
        self.sweep(index);
        true
    }

    /// Finishes every retired listener of the slot that no call is inside of.
    #[cold]
    pub(crate) fn sweep(&'static self, index: usize) {
        for header in self.slots[index].sweep(&THREADS) {
            // SAFETY: a sweep returns each header once, proved quiet.
            unsafe { self.finish(index, header) };
        }
    }

    /// Finishes a thread-bound listener that was retired, once its thread is not inside any more.
    ///
    /// # Safety
    /// Called by the bound thread, and the header was not finished yet.
    pub(crate) unsafe fn left_bound(&'static self, index: usize, header: NonNull<Header>) {
        // SAFETY: alive, since it was not finished.
        let this = unsafe { header.as_ref() };
        if this.state.load(Relaxed) & ENDED != 0 && !this.is_entered_bound() {
            // SAFETY: unlinked, only this thread could be inside, and it is not.
            unsafe { self.finish(index, header) };
        }
    }

    /// Drops the listener and reports quiet. Runs user code (the destructor, a waker), on whichever
    /// thread was the last one out, with nothing held.
    ///
    /// # Safety
    /// No call is inside `header`, none can enter, and this is the only finisher.
    unsafe fn finish(&'static self, index: usize, header: NonNull<Header>) {
        // SAFETY: alive: its `LISTENER` bit is set until below.
        let this = unsafe { header.as_ref() };
        // SAFETY: quiet, so nobody else reads it any more.
        let Erased { data, drop, .. } = *unsafe { this.erased() };
        // SAFETY: the data is dropped once, here.
        if let Err(payload) = boundary::contain(|| unsafe { drop(data) }) {
            self.panicked.fetch_add(1, Relaxed);
            let message = boundary::text_of(&*payload);
            report(&Event::DropPanicked { pool: self.name, message });
            boundary::discard(payload);
        }
        let waiter = this.waiter.swap(QUIET, AcqRel);
        let before = this.state.fetch_and(!LISTENER, AcqRel);
        if before & HANDLE == 0 {
            self.unpin(index); // neither listener nor handle is left of the header
        }
        // SAFETY: whoever put the waiter there gave one count away; it is ours since the swap.
        if let Some(waiter) = unsafe { Waiter::from_raw(waiter) }
            && let Err(payload) = boundary::contain(|| waiter.wake())
        {
            boundary::discard(payload);
        }
    }

    /// The handle of a header goes away.
    ///
    /// # Safety
    /// Called once per header, by its handle, which does not use it again.
    pub(crate) unsafe fn drop_handle(&'static self, index: usize, header: NonNull<Header>) {
        // SAFETY: alive: its `HANDLE` bit is set until here.
        let before = unsafe { header.as_ref() }.state.fetch_and(!HANDLE, AcqRel);
        if before & LISTENER == 0 {
            self.unpin(index); // neither listener nor handle is left of the header
        }
    }

    /// In the child of a fork, by its only thread, which has this number.
    #[cfg(all(unix, feature = "std", not(miri)))]
    pub(crate) fn after_fork(&self, number: u64) {
        for (index, slot) in self.slots.iter().enumerate() {
            slot.after_fork(number, self.spares.of(index), thread::counted_inside);
        }
    }
}

/// One header and the slot it belongs to: what every guard really holds. Whoever owns it calls
/// `release` exactly once.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) core: &'static Core,
    pub(crate) index: usize,
    pub(crate) link: Link,
}

impl Lease {
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the header's `HANDLE` bit is set until `release`.
        unsafe { self.link.header().as_ref() }
    }

    fn header_ptr(&self) -> NonNull<Header> {
        self.link.header()
    }

    /// Closes the slot and starts the proof; nothing if it was closed already.
    pub(crate) fn retire(&self, by: Option<&'static Location<'static>>) {
        if self.core.close(self.index, self.link, by) {
            self.core.prove(self.index, self.link);
        }
    }

    pub(crate) fn prove_again(&self) -> bool {
        self.core.prove_again(self.index, self.header_ptr())
    }

    /// The foreign side holds no copy of the pointer: the slot may serve others once it is given
    /// back. Without effect where it is past that already.
    pub(crate) fn confirm(&self) {
        self.core.confirm(self.index);
    }

    /// # Safety
    /// Called once, by the owner.
    pub(crate) unsafe fn release(self) {
        // SAFETY: the caller's promise.
        unsafe { self.core.drop_handle(self.index, self.header_ptr()) };
    }
}
