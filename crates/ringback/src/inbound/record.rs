//! Thread records: where each thread says which listener it is inside of, by plain stores.
//!
//! # State
//! A [`Record`] belongs to one thread at a time (`owner`, a number that is never used twice; 0 is
//! nobody). Its cells are a stack: the thread's cursor points at the first free one, a nested call
//! takes the next, so that an inner call never hides the outer one. Records are linked into the
//! registry once and stay there; a thread that ends leaves its record for the next to claim.
//!
//! # Ordering
//! Cells: see [`slot`](super::slot). Claiming: the claimant sets `owner`, then a full fence, then
//! makes its first call; a retirer closes the slot, then a full fence, then walks the records. So a
//! retirer that does not see the claim is seen by the claimant's call, which finds the slot closed.
//! That is why a retirer may leave the barrier out when no other thread owns a record.

use super::slot::{Header, Protectors};
use crate::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*, fence};
use std::ptr::{self, NonNull};

/// How deep calls may nest on one thread before they are counted instead of recorded.
pub(crate) const DEPTH: usize = 15;

/// One thread's cells: 256 bytes. The cells end at a multiple of 128, which is how the fast path
/// knows that the cursor has run out (see [`usable`]).
#[repr(C, align(128))]
pub(crate) struct Record {
    owner: AtomicU64,
    pub(crate) cells: [AtomicPtr<Header>; DEPTH],
    next: AtomicPtr<Record>,
}

#[cfg(all(not(ringback_loom), target_pointer_width = "64"))]
const _: () = {
    assert!(size_of::<Record>() == 256);
    assert!(std::mem::offset_of!(Record, next) == 128);
};

/// Whether `cursor` points at a free cell. It does not when it is null (no record, or the calls of
/// this thread are not to be recorded) or one past the last cell: both are multiples of 128.
#[inline(always)]
pub(crate) fn usable(cursor: *const AtomicPtr<Header>) -> bool {
    !cursor.addr().is_multiple_of(128)
}

impl Record {
    #[cfg(not(ringback_loom))]
    const fn new() -> Self {
        Record {
            owner: AtomicU64::new(0),
            cells: [const { AtomicPtr::new(ptr::null_mut()) }; DEPTH],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[cfg(ringback_loom)]
    fn new() -> Self {
        Record {
            owner: AtomicU64::new(0),
            cells: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn claim(&self, thread: u64) -> bool {
        let claimed = self.owner.compare_exchange(0, thread, SeqCst, Relaxed).is_ok();
        if claimed {
            fence(SeqCst); // see `# Ordering`
        }
        claimed
    }

    /// Leaves the record to another thread; its cells are empty since every call has returned.
    pub(crate) fn abandon(&self) {
        self.owner.store(0, Release);
    }

    /// The headers this thread is inside of, outermost first. Called by the owner.
    pub(crate) fn inside(&self) -> impl Iterator<Item = *mut Header> {
        self.cells.iter().map(|cell| cell.load(Relaxed)).filter(|header| !header.is_null())
    }
}

/// Every record of the process (or of a model).
pub(crate) struct Registry {
    head: AtomicPtr<Record>,
    /// Records that need no allocation, handed out first.
    reserve: &'static [Record],
    reserve_used: AtomicUsize,
}

/// Threads whose first call allocates no record.
#[cfg(not(ringback_loom))]
const RESERVE: usize = 64;
#[cfg(not(ringback_loom))]
static RESERVED: [Record; RESERVE] = [const { Record::new() }; RESERVE];

/// The records of this process.
#[cfg(not(ringback_loom))]
pub(crate) static THREADS: Registry = Registry {
    head: AtomicPtr::new(ptr::null_mut()),
    reserve: &RESERVED,
    reserve_used: AtomicUsize::new(0),
};

impl Registry {
    #[cfg(ringback_loom)]
    pub(crate) fn new() -> Self {
        Registry {
            head: AtomicPtr::new(ptr::null_mut()),
            reserve: &[],
            reserve_used: AtomicUsize::new(0),
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

    /// A record for the thread with this number, an abandoned one if there is any.
    pub(crate) fn claim(&self, thread: u64) -> &'static Record {
        if let Some(record) = self.records().find(|record| record.claim(thread)) {
            return record;
        }
        let place = self.reserve_used.load(Relaxed);
        let reserved = (place < self.reserve.len())
            .then(|| self.reserve_used.fetch_add(1, Relaxed))
            .and_then(|place| self.reserve.get(place));
        let record = reserved.unwrap_or_else(|| Box::leak(Box::new(Record::new())));
        let claimed = record.claim(thread);
        debug_assert!(claimed, "nobody else knows this record yet");
        let mut head = self.head.load(Relaxed);
        loop {
            record.next.store(head, Relaxed);
            let new = ptr::from_ref(record).cast_mut();
            match self.head.compare_exchange_weak(head, new, SeqCst, Relaxed) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        fence(SeqCst); // linked before the first call, see `# Ordering`
        record
    }

    /// Whether a thread other than the owner of `own` might be inside, or about to enter.
    pub(crate) fn has_others(&self, own: Option<&Record>) -> bool {
        self.records().any(|record| {
            !own.is_some_and(|own| ptr::eq(own, record)) && record.owner.load(SeqCst) != 0
        })
    }
}

impl Protectors for Registry {
    fn protects(&self, header: *mut Header) -> bool {
        self.records().any(|record| record.cells.iter().any(|cell| cell.load(Acquire) == header))
    }
}
