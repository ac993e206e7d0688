// SPDX-License-Identifier: MIT OR Apache-2.0

//! Thread records: where each thread says which listener it is inside of, by plain stores.
//!
//! # State
//! A [`Record`] belongs to one thread at a time (`owner`, a number that is never used twice; 0 is
//! nobody). A call takes a cell that is null, the first one if it can, so that an inner call never
//! hides the outer one. Only the owner writes to cells, and a signal handler that interrupts it has
//! cleared its own cell when it returns; so a cell that was found null is still null when it is
//! written. Records are linked into the
//! registry once and stay there; a thread that ends leaves its record for the next to claim. A thread
//! that vanishes (in a fork, or by a bare `exit` system call) leaves its record owned for ever.
//!
//! # Ordering
//! Cells: see [`slot`](super::slot). Claiming: the claimant sets `owner`, then a full fence, then
//! makes its first call; a retirer closes the slot, then a full fence, then walks the records. So a
//! retirer that does not see the claim is seen by the claimant's call, which finds the slot closed.
//! That is why a retirer may leave the barrier out when no other thread owns a record.

use super::slot::{Header, Protectors, Slot, header_in};
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*, fence};
use std::ptr::{self, NonNull};

/// How deep calls may nest on one thread before they are counted instead of recorded: what fills
/// the record's first 128 bytes.
pub(crate) const DEPTH: usize = 128 / size_of::<usize>() - 1;

/// One thread's cells: 256 bytes, of which an ordinary call touches the first 16.
#[repr(C, align(128))]
pub(crate) struct Record {
    /// Of the call whose header is in the first cell: so that such a call has one thing less to keep in
    /// a register. Written after that cell is, and read before it is cleared.
    slot: AtomicPtr<Slot>,
    pub(crate) cells: [AtomicPtr<Header>; DEPTH],
    owner: AtomicU64,
    next: AtomicPtr<Record>,
    /// The system's number of the owner, to ask whether it still exists; 0 where that is unknown.
    system_thread: AtomicU32,
}

#[cfg(not(ringback_loom))]
const _: () = {
    assert!(size_of::<Record>() == 256);
    assert!(std::mem::offset_of!(Record, owner) == 128);
};

/// In the place of a record, for threads that have none: no cell of it is ever free.
#[cfg(not(ringback_loom))]
pub(crate) static NONE: Record = Record {
    cells: [const { AtomicPtr::new(ptr::without_provenance_mut(1)) }; DEPTH],
    ..Record::new()
};

impl Record {
    #[cfg(not(ringback_loom))]
    const fn new() -> Self {
        Record {
            slot: AtomicPtr::new(ptr::null_mut()),
            cells: [const { AtomicPtr::new(ptr::null_mut()) }; DEPTH],
            owner: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            system_thread: AtomicU32::new(0),
        }
    }

    #[cfg(ringback_loom)]
    fn new() -> Self {
        Record {
            slot: AtomicPtr::new(ptr::null_mut()),
            cells: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            owner: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            system_thread: AtomicU32::new(0),
        }
    }

    fn claim(&self, thread: u64) -> bool {
        let claimed = self.owner.compare_exchange(0, thread, SeqCst, Relaxed).is_ok();
        if claimed {
            self.system_thread.store(system::this_thread(), Relaxed);
            fence(SeqCst); // see `# Ordering`
        }
        claimed
    }

    /// The cell of the ordinary call.
    #[inline(always)]
    pub(crate) fn first_cell(&self) -> &AtomicPtr<Header> {
        &self.cells[0]
    }

    /// Keeps the slot of the call that has taken the first cell.
    #[inline(always)]
    pub(crate) fn keep_slot(&self, slot: &'static Slot) {
        self.slot.store(ptr::from_ref(slot).cast_mut(), Relaxed);
    }

    /// The slot of the call that has the first cell still.
    ///
    /// # Safety
    /// That call has kept it here, and asks.
    #[inline(always)]
    pub(crate) unsafe fn kept_slot(&self) -> &'static Slot {
        // SAFETY: a static, kept by this call: another one keeps its own only after it has taken the
        // first cell, which this one has.
        unsafe { &*self.slot.load(Relaxed) }
    }

    /// A cell that a call may take. Asked by the owner.
    pub(crate) fn free_cell(&self) -> Option<&AtomicPtr<Header>> {
        self.cells.iter().find(|cell| cell.load(Relaxed).is_null())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inside().next().is_none()
    }

    /// Whether the owner is inside `header`, or about to find out that it must not be.
    fn holds(&self, header: *mut Header) -> bool {
        self.cells.iter().any(|cell| header_in(cell, Acquire) == header)
    }

    /// The headers this thread is inside of. Called by the owner.
    pub(crate) fn inside(&self) -> impl Iterator<Item = *mut Header> {
        self.cells.iter().map(|cell| header_in(cell, Relaxed)).filter(|header| !header.is_null())
    }
}

/// Every record of the process (or of a model).
pub(crate) struct Registry {
    head: AtomicPtr<Record>,
    /// Records that need no allocation, handed out first.
    reserve: &'static [Record],
    reserve_used: AtomicUsize,
    /// Linked records without an owner.
    abandoned: AtomicUsize,
}

/// Threads that can have a record at once before any is allocated.
#[cfg(not(ringback_loom))]
pub(crate) const RESERVE: usize = 64;
#[cfg(not(ringback_loom))]
static RESERVED: [Record; RESERVE] = [const { Record::new() }; RESERVE];

/// The records of this process.
#[cfg(not(ringback_loom))]
pub(crate) static THREADS: Registry = Registry::with_reserve(&RESERVED);

impl Registry {
    #[cfg(not(ringback_loom))]
    const fn with_reserve(reserve: &'static [Record]) -> Self {
        Registry {
            head: AtomicPtr::new(ptr::null_mut()),
            reserve,
            reserve_used: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
        }
    }

    #[cfg(ringback_loom)]
    pub(crate) fn new() -> Self {
        Registry {
            head: AtomicPtr::new(ptr::null_mut()),
            reserve: &[],
            reserve_used: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
        }
    }

    fn records(&self) -> impl Iterator<Item = &'static Record> {
        let mut next = self.head.load(Acquire);
        std::iter::from_fn(move || {
            // SAFETY: records are leaked or static, and initialised before they are linked.
            let record = unsafe { NonNull::new(next)?.as_ref() };
            next = record.next.load(Relaxed); // set before the record was linked
            Some(record)
        })
    }

    /// A record for the thread with this number: an abandoned one, or one of the reserve. Lock-free,
    /// and allocates nothing.
    pub(crate) fn claim(&self, thread: u64) -> Option<&'static Record> {
        if self.abandoned.load(Acquire) != 0
            && let Some(record) = self.records().find(|record| record.claim(thread))
        {
            self.abandoned.fetch_sub(1, Relaxed);
            return Some(record);
        }
        let place = self.reserve_used.load(Relaxed);
        let record = (place < self.reserve.len())
            .then(|| self.reserve_used.fetch_add(1, Relaxed))
            .and_then(|place| self.reserve.get(place))?;
        self.link_claimed(record, thread);
        Some(record)
    }

    /// As [`claim`](Self::claim), or a new record.
    pub(crate) fn claim_or_allocate(&self, thread: u64) -> &'static Record {
        self.claim(thread).unwrap_or_else(|| {
            let record = Box::leak(Box::new(Record::new()));
            self.link_claimed(record, thread);
            record
        })
    }

    fn link_claimed(&self, record: &'static Record, thread: u64) {
        let claimed = record.claim(thread);
        debug_assert!(claimed, "nobody else knows this record yet");
        self.link(record);
        fence(SeqCst); // linked before the first call, see `# Ordering`
    }

    fn link(&self, record: &'static Record) {
        let mut head = self.head.load(Relaxed);
        loop {
            record.next.store(head, Relaxed);
            let new = ptr::from_ref(record).cast_mut();
            match self.head.compare_exchange_weak(head, new, SeqCst, Relaxed) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
    }

    /// Leaves a record to another thread; its cells are empty since every call has returned.
    pub(crate) fn abandon(&self, record: &Record) {
        self.abandoned.fetch_add(1, Release); // first: never fewer than there are
        record.owner.store(0, Release);
    }

    /// Allocates until `threads` more can be served without.
    #[cfg(not(ringback_loom))]
    pub(crate) fn reserve(&self, threads: usize) {
        let unused = self.reserve.len().saturating_sub(self.reserve_used.load(Relaxed));
        let ready = unused + self.abandoned.load(Relaxed);
        for _ in ready..threads {
            self.abandoned.fetch_add(1, Release);
            self.link(Box::leak(Box::new(Record::new())));
        }
    }

    /// Whether a thread other than the owner of `own` might be inside, or about to enter.
    pub(crate) fn has_others(&self, own: Option<&Record>) -> bool {
        self.records().any(|record| {
            !own.is_some_and(|own| ptr::eq(own, record)) && record.owner.load(SeqCst) != 0
        })
    }

    /// Whether a thread that does not exist any more was inside `header` to its end.
    #[cfg(not(ringback_loom))]
    pub(crate) fn holds_vanished(&self, header: *mut Header) -> bool {
        // Looked at again afterwards: a thread may have left, and then ended.
        self.records().filter(|record| record.holds(header)).any(|record| {
            !system::exists(record.system_thread.load(Relaxed)) && record.holds(header)
        })
    }

    /// In the child of a fork only the calling thread is left: the records of the others are free,
    /// but for those that were inside of a listener, which are never free any more.
    #[cfg(not(ringback_loom))]
    pub(crate) fn after_fork(&self, own: Option<&Record>) {
        if let Some(own) = own {
            own.system_thread.store(system::this_thread(), Relaxed);
        }
        for record in self.records() {
            let other = !own.is_some_and(|own| ptr::eq(own, record));
            if other && record.owner.load(Relaxed) != 0 && record.is_empty() {
                self.abandon(record);
            }
        }
    }
}

impl Protectors for Registry {
    fn protects(&self, header: *mut Header) -> bool {
        self.records().any(|record| record.holds(header))
    }
}

/// Threads as the system numbers them.
#[cfg(all(target_os = "linux", not(ringback_loom), not(miri)))]
mod system {
    pub(super) fn this_thread() -> u32 {
        // SAFETY: takes nothing, touches nothing.
        unsafe { libc::syscall(libc::SYS_gettid) as u32 }
    }

    /// True also where it is not known, and where the number is another thread's by now.
    pub(super) fn exists(thread: u32) -> bool {
        // SAFETY: signal 0 is not sent, only whether it could be is told.
        thread == 0
            || unsafe {
                libc::syscall(libc::SYS_tgkill, libc::getpid(), thread as libc::pid_t, 0) == 0
                    || *libc::__errno_location() != libc::ESRCH
            }
    }
}

#[cfg(not(all(target_os = "linux", not(ringback_loom), not(miri))))]
mod system {
    pub(super) fn this_thread() -> u32 {
        0
    }

    #[cfg(not(ringback_loom))]
    pub(super) fn exists(_: u32) -> bool {
        true
    }
}
