// SPDX-License-Identifier: MIT OR Apache-2.0

//! The slot: what one thunk leads to now, and the state machine by which that changes.
//!
//! # State
//! A [`Slot`] is static and all-zero at first. A [`Header`] describes one listener; the first one
//! of a registration lives inside the slot, those that [`replace`](crate::Registration::replace)
//! brings are boxed, and stay with their slot for good (see [`spare`](super::spare)).
//!
//! ```text
//!            publish                unlink              barrier, push            sweep
//!  (vacant) ---------> active ----------------> unlinked ----------> retired ------------> quiet
//!                      calls enter    no new call enters   on the slot's list   listener dropped
//! ```
//!
//! | field | written by | read by |
//! |---|---|---|
//! | `active` | publish (the slot's owner), unlink (whoever retires first: compare-exchange) | every call |
//! | `waiting` | unlink `+1`, sweep `-1` | every leaving call |
//! | `retired` | pushed by the retirer after its barrier, taken by the running sweep | sweep |
//! | `sweep` | whoever asks for a sweep | the one who runs it |
//! | `inflight`, `phase` | calls that are counted rather than recorded | sweep |
//! | `Header::{call,data,drop}` | the owner before publish | calls inside, then the finisher |
//! | `Header::state`, `waiter` | handle and finisher | both |
//!
//! # Ordering
//! *Entry against unlink* (why a listener is never freed under a call). A call stores the header
//! into its thread's cell, then the light fence, then reads `active` again; the retirer changes
//! `active`, then the heavy barrier, then reads the cells. By the asymmetric fence pair one of the
//! two sees the other: the call notices that the header is gone and withdraws, or the sweep sees
//! the cell. A counted call does the same with `SeqCst` operations on `inflight` and `active`.
//!
//! *Leave against wait* (why the last one out always frees). The leaver clears its cell, then the
//! light fence, then reads `waiting`; the retirer raises `waiting`, then the heavy barrier, and
//! only then pushes and sweeps. So either the sweep sees the cleared cell, or the leaver sees
//! `waiting` and asks for a sweep itself. Every request is a read-modify-write on `sweep`, so the
//! last run of the sweep happens after every requester's clearing of its cell and after the push.
//!
//! *Cell stores are Release* and the sweep's loads Acquire: a sweep that finds a cell without the
//! header happens after everything which that thread's earlier call did with the listener.

use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering::*, WatchedCell, total_order,
};
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::{self, NonNull};

#[cfg(all(unix, feature = "std", not(any(miri, ringback_loom))))]
mod fork;

/// A listener with its type erased: what to call, with what, and how to drop it.
pub(crate) struct Erased {
    /// Really the pool's `Signature::Call`.
    pub(crate) call: unsafe fn(),
    pub(crate) data: *mut (),
    pub(crate) drop: unsafe fn(*mut ()),
}

/// `Header::state`: a `Registration`, `Retired` or `Quiet` still refers to the header.
pub(crate) const HANDLE: u32 = 1;
/// `Header::state`: the listener has not been dropped yet.
pub(crate) const LISTENER: u32 = 2;
/// `Header::state`: unlinked, but the barrier was refused, so quiet cannot be proved.
pub(crate) const UNPROVED: u32 = 4;
/// `Header::state`: bound to one thread, and retired while that thread was inside: the thread
/// finishes it when it leaves, so no barrier, list or sweep is needed.
pub(crate) const ENDED: u32 = 64;
/// `Header::state`: `inflight[0]` was seen at zero after unlinking; shifted by one for `[1]`.
const DRAINED: u32 = 16;
/// `Header::state`, in the child of a fork: who was about to drop the listener is gone.
#[cfg(all(feature = "std", not(ringback_loom)))]
const LOST: u32 = 128;
const BOTH_DRAINED: u32 = DRAINED | DRAINED << 1;

/// `Header::waiter` once the listener is dropped.
pub(crate) const QUIET: *mut () = ptr::without_provenance_mut(1);

/// One listener: 48 bytes.
#[repr(C)]
pub(crate) struct Header {
    erased: WatchedCell<MaybeUninit<Erased>>,
    /// The next header of whichever list this one is on.
    pub(crate) next: WatchedCell<*mut Header>,
    /// Null, an `Arc<Waiter>` as a raw pointer, or [`QUIET`].
    pub(crate) waiter: AtomicPtr<()>,
    pub(crate) state: AtomicU32,
    /// The calls inside, of a header that is bound to one thread: written and read by that thread only.
    bound_calls: AtomicU32,
}

/// A header as it stands in `Slot::active` and in cells: its lowest bit is set unless it is bound to one
/// thread. So the ordinary call, which null and bound headers send another way, asks for one bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link(*mut Header);

const SHARED: usize = 1;

impl Link {
    pub(crate) fn new(header: NonNull<Header>, bound: bool) -> Self {
        Link(header.as_ptr().map_addr(|address| address | usize::from(!bound)))
    }

    pub(crate) fn header(self) -> NonNull<Header> {
        // SAFETY: made from a non-null, aligned pointer, so clearing the tag restores it.
        unsafe { NonNull::new_unchecked(self.0.map_addr(|address| address & !SHARED)) }
    }

    pub(crate) fn is_bound(self) -> bool {
        self.0.addr() & SHARED == 0
    }
}

/// The header that a thread has put into its cell, null if there is none.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn header_in(cell: &AtomicPtr<Header>, order: crate::sync::Ordering) -> *mut Header {
    cell.load(order).map_addr(|address| address & !SHARED)
}

/// Tells a sweep which headers some thread is inside of.
pub(crate) trait Protectors {
    /// Whether any thread's cell holds `header`.
    fn protects(&self, header: *mut Header) -> bool;
}

/// `Slot::sweep`: nobody sweeps.
const IDLE: u8 = 0;
/// `Slot::sweep`: one thread sweeps.
const RUNNING: u8 = 1;
/// `Slot::sweep`: one thread sweeps, and must do so once more.
const AGAIN: u8 = 2;

/// What one thunk leads to: 128 bytes, of which a call touches the first 64.
#[repr(C, align(128))]
pub struct Slot {
    active: AtomicPtr<Header>,
    /// The header of a registration's first listener.
    pub(crate) first: Header,
    waiting: AtomicU32,
    sweep: AtomicU8,
    phase: AtomicU8,
    /// A [`SlotState`](super::core::SlotState), for the pool's book-keeping.
    pub(crate) state: AtomicU8,
    /// In the child of a fork: a counted call was inside whose thread is gone.
    #[cfg_attr(not(feature = "std"), allow(dead_code))]
    left_behind: AtomicBool,
    // --- second cache line: not touched by an ordinary call ---
    retired: AtomicPtr<Header>,
    /// Who registered.
    pub(crate) holder: AtomicPtr<Location<'static>>,
    /// Who retired; null where a guard was dropped by foreign or compiler-made code.
    pub(crate) retirer: AtomicPtr<Location<'static>>,
    /// When it was retired: nanoseconds on the clock of `core::now`.
    pub(crate) since: AtomicU64,
    /// The only thread that may call a thread-bound listener.
    pub(crate) bound_thread: AtomicU64,
    inflight: [AtomicU32; 2],
    /// Headers and handles that keep the slot from being given back.
    pub(crate) pins: AtomicU32,
    /// The pool's list of free slots: index + 1, 0 at the end.
    pub(crate) next_free: AtomicU32,
    /// Calls that found no listener; wraps.
    pub(crate) stale: AtomicU32,
}

/// What a slot takes of a program's memory, whatever is registered there: static, and untouched (so
/// without a page of its own) until it is first used. Its thunk takes 16 bytes of code beside that,
/// in the assembler table.
#[cfg(not(ringback_loom))]
pub const BYTES_PER_SLOT: usize = size_of::<Slot>();

#[cfg(all(not(ringback_loom), target_pointer_width = "64"))]
const _: () = {
    assert!(size_of::<Slot>() == 128);
    assert!(core::mem::offset_of!(Slot, retired) == 64);
};

// SAFETY: every field but `Header::{erased,next}` is atomic. `erased` is written by the slot's
// single owner before the header is published and read only between `enter` and `leave` or by the
// single finisher; `next` belongs to whoever holds the list (see `# State`).
unsafe impl Sync for Slot {}
// SAFETY: as above; a slot holds no thread-bound state of its own (a thread-bound listener behind
// `Erased` is touched only on its thread, see `inbound::dispatch` and `Registration<_, Local>`).
unsafe impl Send for Slot {}

impl Header {
    const_unless_loom! {
        pub(crate) fn vacant() -> Self {
            Header {
                // All zero, as the whole slot: so that a pool's table lies in .bss.
                erased: WatchedCell::new(MaybeUninit::zeroed()),
                next: WatchedCell::new(ptr::null_mut()),
                waiter: AtomicPtr::new(ptr::null_mut()),
                state: AtomicU32::new(0),
                bound_calls: AtomicU32::new(0),
            }
        }
    }

    /// Prepares a header that is not published for a listener.
    ///
    /// # Safety
    /// Nobody else refers to the header.
    pub(crate) unsafe fn prepare(&self, erased: Erased) {
        // SAFETY: nobody else reads or writes it.
        self.erased.with_mut(|place| unsafe { (*place).write(erased) });
        self.waiter.store(ptr::null_mut(), Relaxed);
        self.state.store(HANDLE | LISTENER, Relaxed);
    }

    /// Whether neither a listener nor a handle is left of it.
    pub(crate) fn is_free(&self) -> bool {
        self.state.load(Acquire) & (HANDLE | LISTENER) == 0
    }

    /// The listener.
    ///
    /// # Safety
    /// The header was prepared or boxed, and its listener is not being finished: the caller is
    /// inside, or is the finisher.
    #[inline(always)]
    pub(crate) unsafe fn erased(&self) -> &Erased {
        // SAFETY: initialised since then, and written to by nobody any more.
        self.erased.with(|place| unsafe { (*place).assume_init_ref() })
    }

    /// Takes the listener back out of a header that was never published, which is free from then on.
    ///
    /// # Safety
    /// It was prepared since it was taken out last, and nobody else refers to the header.
    pub(crate) unsafe fn take_erased(&self) -> Erased {
        // SAFETY: the caller's promise.
        let erased = self.erased.with_mut(|place| unsafe { (*place).assume_init_read() });
        self.state.store(0, Release);
        erased
    }

    /// A call of the bound thread is inside from here on.
    pub(crate) fn enter_bound(&self) {
        self.bound_calls.store(self.bound_calls.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn leave_bound(&self) {
        self.bound_calls.store(self.bound_calls.load(Relaxed) - 1, Relaxed);
    }

    /// Asked by the bound thread.
    pub(crate) fn is_entered_bound(&self) -> bool {
        self.bound_calls.load(Relaxed) != 0
    }

    /// Whether its finisher has dropped the listener, and let go of the header.
    pub(crate) fn is_quiet(&self) -> bool {
        self.waiter.load(Acquire) == QUIET && self.state.load(Acquire) & LISTENER == 0
    }

    /// Whether it will never be quiet, since a fork has left behind who was about to drop the listener.
    #[cfg(all(feature = "std", not(ringback_loom)))]
    pub(crate) fn is_lost(&self) -> bool {
        self.state.load(Acquire) & LOST != 0
    }
}

impl Slot {
    const_unless_loom! {
        /// An empty slot.
        #[doc(hidden)]
        #[allow(clippy::new_without_default)] // one way to make it, and that one is const
        pub fn new() -> Self {
            Slot {
                active: AtomicPtr::new(ptr::null_mut()),
                first: Header::vacant(),
                waiting: AtomicU32::new(0),
                sweep: AtomicU8::new(IDLE),
                phase: AtomicU8::new(0),
                state: AtomicU8::new(0),
                left_behind: AtomicBool::new(false),
                retired: AtomicPtr::new(ptr::null_mut()),
                holder: AtomicPtr::new(ptr::null_mut()),
                retirer: AtomicPtr::new(ptr::null_mut()),
                since: AtomicU64::new(0),
                bound_thread: AtomicU64::new(0),
                inflight: [AtomicU32::new(0), AtomicU32::new(0)],
                pins: AtomicU32::new(0),
                next_free: AtomicU32::new(0),
                stale: AtomicU32::new(0),
            }
        }
    }

    /// Whether no listener will be quiet here any more, since a fork has left a counted call behind.
    #[cfg(all(feature = "std", not(ringback_loom)))]
    pub(crate) fn is_left_behind(&self) -> bool {
        self.left_behind.load(Relaxed)
    }

    /// Prepares the slot's own header for a listener.
    ///
    /// # Safety
    /// The caller owns the slot: it came from the free list and has not been published.
    pub(crate) unsafe fn prepare(&self, erased: Erased) -> NonNull<Header> {
        // SAFETY: nobody else reads or writes the header of an unpublished slot.
        unsafe { self.first.prepare(erased) };
        NonNull::from(&self.first)
    }

    /// From here on calls reach the listener.
    pub(crate) fn publish(&self, link: Link) {
        self.active.store(link.0, Release);
    }

    /// What calls would enter now.
    pub(crate) fn current(&self) -> Option<Link> {
        let link = self.active.load(Acquire);
        (!link.is_null()).then_some(Link(link))
    }

    /// One attempt to enter the current listener, recorded in `cell`, ordered by `fence`.
    ///
    /// `None`: the slot is closed, or thread-bound while `bound` is false, or changed meanwhile.
    /// In the last case a sweep may have seen the cell in the moment it was set, and count on this
    /// thread to sweep when it leaves: so after `None` the caller must [`withdraw`](Self::withdraw).
    #[inline(always)]
    pub(crate) fn enter(
        &self,
        cell: &AtomicPtr<Header>,
        bound: bool,
        fence: impl FnOnce(),
    ) -> Option<NonNull<Header>> {
        let link = self.active.load(Acquire);
        let shared = link.addr() & SHARED != 0;
        if shared == bound || (bound && link.is_null()) {
            return None;
        }
        cell.store(link, Release);
        fence();
        if self.active.load(Acquire) == link {
            let header = link.wrapping_byte_sub(usize::from(shared));
            // SAFETY: made from a header's address, see `Link::new`.
            return Some(unsafe { NonNull::new_unchecked(header) });
        }
        cell.store(ptr::null_mut(), Release);
        None
    }

    /// After a refused `enter`: whether somebody waits, as for [`leave`](Self::leave).
    pub(crate) fn withdraw(&self, fence: impl FnOnce()) -> bool {
        fence();
        self.somebody_waits()
    }

    /// The calling thread's cell is cleared, and whether somebody waits for that.
    ///
    /// If so, the leaver must [`sweep`](Self::sweep).
    #[inline(always)]
    pub(crate) fn leave(&self, cell: &AtomicPtr<Header>, fence: impl FnOnce()) -> bool {
        cell.store(ptr::null_mut(), Release);
        fence();
        self.somebody_waits()
    }

    /// Whether a retired listener of this slot is not quiet yet.
    #[inline(always)]
    pub(crate) fn somebody_waits(&self) -> bool {
        self.waiting.load(SeqCst) != 0
    }

    /// Enters by counting instead of recording: the way of threads that have no record.
    ///
    /// Returns the phase to leave with, and the listener if there is one. Always leave.
    pub(crate) fn enter_counted(&self, bound: bool) -> (usize, Option<NonNull<Header>>) {
        let phase = usize::from(self.phase.load(Relaxed) & 1);
        self.inflight[phase].fetch_add(1, SeqCst);
        total_order();
        let link = self.active.load(SeqCst);
        let usable = !link.is_null() && Link(link).is_bound() == bound;
        (phase, usable.then(|| Link(link).header()))
    }

    /// Leaves what [`enter_counted`](Self::enter_counted) entered; true as for `leave`.
    pub(crate) fn leave_counted(&self, phase: usize) -> bool {
        self.inflight[phase].fetch_sub(1, SeqCst);
        total_order();
        self.somebody_waits()
    }

    /// Closes the slot, or puts `new` in the place of `old`; false if `old` is no longer there.
    ///
    /// After true the caller executes the barrier and then [`push`](Self::push)es `old`; where `old`
    /// is bound to a thread, that thread is the caller and just looks whether it is inside.
    pub(crate) fn unlink(&self, old: Link, new: Option<Link>) -> bool {
        let new = new.map_or(ptr::null_mut(), |link| link.0);
        let unlinked = self.active.compare_exchange(old.0, new, SeqCst, Relaxed).is_ok();
        if unlinked && !old.is_bound() {
            self.waiting.fetch_add(1, SeqCst);
        }
        unlinked
    }

    /// The barrier after `unlink` was refused: nobody waits for this header any more.
    pub(crate) fn give_up(&self) {
        self.waiting.fetch_sub(1, SeqCst);
    }

    /// The barrier is to be tried again after [`give_up`](Self::give_up).
    pub(crate) fn wait_again(&self) {
        self.waiting.fetch_add(1, SeqCst);
    }

    /// Puts an unlinked header, whose barrier has been executed, before the sweep.
    pub(crate) fn push(&self, header: NonNull<Header>) {
        let mut head = self.retired.load(Relaxed);
        loop {
            // SAFETY: the pusher holds the header (retirer, or the sweep that took it).
            unsafe { header.as_ref() }.next.with_mut(|next| unsafe { *next = head });
            match self.retired.compare_exchange_weak(head, header.as_ptr(), AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes every retired listener that no call is inside of off the slot.
    ///
    /// Only one thread sweeps a slot at a time; others leave word that it must look once more, so
    /// nobody waits here. The caller must finish (drop, report quiet) what is returned.
    pub(crate) fn sweep(&self, protectors: &impl Protectors) -> Finished {
        let mut finished = Finished(ptr::null_mut());
        if self.sweep.swap(AGAIN, AcqRel) != IDLE {
            return finished;
        }
        loop {
            self.sweep.swap(RUNNING, AcqRel);
            self.sweep_once(protectors, &mut finished);
            if self.sweep.compare_exchange(RUNNING, IDLE, AcqRel, Relaxed).is_ok() {
                return finished;
            }
        }
    }

    fn sweep_once(&self, protectors: &impl Protectors, finished: &mut Finished) {
        let mut rest = self.retired.swap(ptr::null_mut(), Acquire);
        total_order();
        let drained = [self.inflight[0].load(SeqCst) == 0, self.inflight[1].load(SeqCst) == 0];
        let drained_bits =
            (u32::from(drained[0]) * DRAINED) | ((u32::from(drained[1]) * DRAINED) << 1);
        let mut missing = 0;
        while let Some(header) = NonNull::new(rest) {
            // SAFETY: on the list, so alive until a sweep, which is us, takes it off.
            let this = unsafe { header.as_ref() };
            // SAFETY: `next` belongs to the running sweep since it took the list.
            rest = this.next.with(|next| unsafe { *next });
            let seen = this.state.fetch_or(drained_bits, AcqRel) | drained_bits;
            missing |= !seen & BOTH_DRAINED;
            if seen & BOTH_DRAINED == BOTH_DRAINED && !protectors.protects(header.as_ptr()) {
                // SAFETY: off the list, ours alone.
                this.next.with_mut(|next| unsafe { *next = finished.0 });
                finished.0 = header.as_ptr();
                self.waiting.fetch_sub(1, SeqCst);
            } else {
                self.push(header);
            }
        }
        // Lead new calls to the other counter so that this one can reach zero, but only when that
        // one has: otherwise two hot counters would be flipped for ever and neither would drain.
        let phase = usize::from(self.phase.load(Relaxed) & 1);
        if missing & (DRAINED << phase) != 0 && drained[1 - phase] {
            self.phase.store((1 - phase) as u8, SeqCst);
        }
    }
}

/// Headers that a sweep found quiet, to be finished one by one with nothing held.
#[must_use]
pub(crate) struct Finished(*mut Header);

impl Iterator for Finished {
    type Item = NonNull<Header>;

    fn next(&mut self) -> Option<NonNull<Header>> {
        let header = NonNull::new(self.0)?;
        // SAFETY: the sweep linked these headers for us alone, and none is freed before it is
        // returned from here.
        self.0 = unsafe { header.as_ref() }.next.with(|next| unsafe { *next });
        Some(header)
    }
}
