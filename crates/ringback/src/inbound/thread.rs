//! What a thread keeps for its own calls: where its next cell is, and who it is.
//!
//! Everything here is `const` and without a destructor, so that it can be used while the thread's
//! other thread-local storage is being torn down (a C++ `thread_local` destructor does call in
//! then). One separate value with a destructor gives the record back and leaves word that the
//! thread is ending; later calls are counted.

use super::barrier::{self, Protection};
use super::record::{Record, THREADS, usable};
use super::slot::Header;
use crate::sync::{AtomicPtr, AtomicU64, Ordering::*, signal_fence};
use std::cell::Cell;
use std::ptr;

pub(crate) type Cursor = AtomicPtr<AtomicPtr<Header>>;

thread_local! {
    /// The next free cell, for the fast path: null unless the protection is `Membarrier`.
    /// Atomic only because a signal handler may call in between any two instructions.
    static CURSOR: Cursor = const { AtomicPtr::new(ptr::null_mut()) };
    /// The same for `Fence`, which takes the slow path.
    static FENCED_CURSOR: Cursor = const { AtomicPtr::new(ptr::null_mut()) };
    static RECORD: Cell<Option<&'static Record>> = const { Cell::new(None) };
    static ENDING: Cell<bool> = const { Cell::new(false) };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// Calls of this thread that were counted rather than recorded, innermost first.
    static COUNTED: Cell<*const CountedCall> = const { Cell::new(ptr::null()) };
    static GUARD: Guard = const { Guard };
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        ENDING.set(true);
        // A destructor can run inside a listener only if the thread ends there (`pthread_exit`
        // unwinds and leaves the cell on its way); else every cell is empty now.
        CURSOR.with(|cursor| cursor.store(ptr::null_mut(), Relaxed));
        FENCED_CURSOR.with(|cursor| cursor.store(ptr::null_mut(), Relaxed));
        signal_fence();
        if let Some(record) = RECORD.take() {
            record.abandon();
        }
    }
}

/// The number of the calling thread: never 0, never used by another thread.
pub(crate) fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.get();
    if number != 0 {
        return number;
    }
    let number = NEXT.fetch_add(1, Relaxed);
    NUMBER.set(number);
    number
}

/// Takes a cell of the calling thread: the cursor moves on before the cell is written, and back
/// after it is cleared, so that a signal handler between any two steps never shares a cell.
pub(crate) struct TakenCell {
    cursor: *const Cursor,
    pub(crate) cell: *const AtomicPtr<Header>,
}

#[inline(always)]
fn take(cursor: *const Cursor) -> Option<TakenCell> {
    // SAFETY: points at this thread's thread-local, alive as long as the thread.
    let place = unsafe { (*cursor).load(Relaxed) };
    if !usable(place) {
        return None;
    }
    // SAFETY: `usable`, so a cell of this thread's record; one further is a cell or the record's
    // second half, both inside the record.
    unsafe { (*cursor).store(place.add(1), Relaxed) };
    signal_fence();
    Some(TakenCell { cursor, cell: place })
}

impl TakenCell {
    /// Gives the cell, which the caller has cleared, back.
    #[inline(always)]
    pub(crate) fn give_back(self) {
        signal_fence();
        // SAFETY: same thread (a call returns on the thread it came in on), see `take`.
        unsafe { (*self.cursor).store(self.cell.cast_mut(), Relaxed) };
    }
}

/// A cell for a call under `Membarrier`; `None` sends the call down the slow path.
#[inline(always)]
pub(crate) fn take_fast_cell() -> Option<TakenCell> {
    take(CURSOR.with(ptr::from_ref))
}

/// A cell for a call under `Fence`.
pub(crate) fn take_fenced_cell() -> Option<TakenCell> {
    take(FENCED_CURSOR.with(ptr::from_ref))
}

/// Gives the calling thread its record, if it can have one and has none yet.
///
/// True if a cell may now be had where there was none before.
pub(crate) fn equip() -> bool {
    if RECORD.get().is_some() || ENDING.get() {
        return false;
    }
    let protection = barrier::ensure();
    // Registers the destructor; refused while this thread's storage is torn down.
    if protection == Protection::Counter || GUARD.try_with(|_| ()).is_err() {
        return false;
    }
    let record = THREADS.claim(number());
    RECORD.set(Some(record));
    let cursor = if protection == Protection::Membarrier { &CURSOR } else { &FENCED_CURSOR };
    cursor.with(|cursor| cursor.store(ptr::from_ref(&record.cells[0]).cast_mut(), Relaxed));
    true
}

/// The calling thread's record.
pub(crate) fn record() -> Option<&'static Record> {
    RECORD.get()
}

/// One call of this thread that is counted in its slot; lives in that call's stack frame.
pub(crate) struct CountedCall {
    header: *mut Header,
    outer: *const CountedCall,
}

impl CountedCall {
    pub(crate) fn new(header: *mut Header) -> Self {
        CountedCall { header, outer: COUNTED.get() }
    }

    /// From here until [`end`](Self::end) the thread counts as inside. `self` must not move.
    pub(crate) fn begin(&self) {
        COUNTED.set(self);
    }

    pub(crate) fn end(&self) {
        COUNTED.set(self.outer);
    }
}

/// Visits every listener the calling thread is inside of, until `found`.
fn any_inside(mut found: impl FnMut(*mut Header) -> bool) -> bool {
    if record().is_some_and(|record| record.inside().any(&mut found)) {
        return true;
    }
    let mut call = COUNTED.get();
    // SAFETY: each frame is alive until its `end`, and frames end innermost first.
    while let Some(this) = unsafe { call.as_ref() } {
        if found(this.header) {
            return true;
        }
        call = this.outer;
    }
    false
}

/// Whether the calling thread is inside this listener.
pub(crate) fn is_inside(header: *mut Header) -> bool {
    any_inside(|inside| inside == header)
}

/// Every listener the calling thread is inside of.
pub(crate) fn inside() -> Vec<*mut Header> {
    let mut headers = Vec::new();
    any_inside(|header| {
        headers.push(header);
        false
    });
    headers
}
