// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a thread keeps for its own calls: where its cells are, and who it is.
//!
//! Everything here is `const` and without a destructor, so that it can be used while the thread's
//! other thread-local storage is being torn down (a C++ `thread_local` destructor does call in
//! then). [`ending`] gives the record back and leaves word that the thread is ending; later calls
//! are counted.

use super::barrier::{self, Protection};
use super::record::{NONE, Record, THREADS};
use super::slot::Header;
use crate::sync::{AtomicPtr, AtomicU64, Ordering::*, signal_fence};
use std::cell::Cell;
use std::ptr;

/// How many counted calls of one thread are known by name. What is inside deeper than that could be
/// anything, and is treated so.
const COUNTED_DEPTH: usize = 16;

thread_local! {
    /// The thread's record, for the fast path: `NONE` unless the protection is `Membarrier`. Never null.
    /// Atomic only because a signal handler may call in between any two instructions.
    static FAST: AtomicPtr<Record> = const { AtomicPtr::new(ptr::from_ref(&NONE).cast_mut()) };
    static RECORD: Cell<Option<&'static Record>> = const { Cell::new(None) };
    static ENDING: Cell<bool> = const { Cell::new(false) };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// What this thread is inside of by calls that were counted rather than recorded, outermost first.
    static COUNTED: [Cell<*mut Header>; COUNTED_DEPTH] =
        const { [const { Cell::new(ptr::null_mut()) }; COUNTED_DEPTH] };
    static COUNTED_CALLS: Cell<usize> = const { Cell::new(0) };
}

/// What a thread that calls in takes of memory at most: its record, and its thread-local storage.
pub const BYTES_PER_THREAD: usize = size_of::<Record>()
    + size_of::<AtomicPtr<Record>>()
    + size_of::<Option<&Record>>()
    + size_of::<bool>()
    + size_of::<u64>()
    + COUNTED_DEPTH * size_of::<*mut Header>()
    + size_of::<usize>();

/// The thread ends: its record is left to another, and whoever still calls is counted.
fn end() {
    ENDING.set(true);
    FAST.with(|fast| fast.store(ptr::from_ref(&NONE).cast_mut(), Relaxed));
    signal_fence();
    // A thread can end inside a listener (a bare `exit` in C, a signal): then the record stays its.
    if let Some(record) = RECORD.take().filter(|record| record.is_empty()) {
        THREADS.abandon(record);
    }
}

/// Has [`end`] called when the thread ends, after the destructors of thread-local variables.
///
/// A `pthread` key, since registering a destructor for a `thread_local!` allocates, and this happens
/// in the first call of a foreign thread.
#[cfg(unix)]
mod ending {
    use crate::inbound::process;
    use std::ffi::c_void;
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering::*};

    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    static PINNED: AtomicBool = AtomicBool::new(false);

    extern "C" fn end(_: *mut c_void) {
        super::end();
    }

    /// Makes the key, before the first call of any thread.
    pub(super) fn prepare() -> Option<libc::pthread_key_t> {
        // Not under the lock of `KEY`: the loader has locks of its own, and runs code that may come here
        // while it holds them. So it may be done twice.
        if !PINNED.load(Acquire) {
            process::pin(end as *const ());
            PINNED.store(true, Release);
        }
        *KEY.get_or_init(|| {
            let mut key = 0;
            // SAFETY: `key` is written to; the destructor stays loaded, since its library is pinned.
            (unsafe { libc::pthread_key_create(&raw mut key, Some(end)) } == 0).then_some(key)
        })
    }

    /// False if it cannot be done, so that the thread must not have a record.
    pub(super) fn expect() -> bool {
        let value = ptr::without_provenance_mut::<c_void>(1); // any but null
        // SAFETY: the key was made and is never deleted.
        prepare().is_some_and(|key| unsafe { libc::pthread_setspecific(key, value) } == 0)
    }
}

#[cfg(not(unix))]
mod ending {
    struct Guard;

    impl Drop for Guard {
        fn drop(&mut self) {
            super::end();
        }
    }
    thread_local!(static GUARD: Guard = const { Guard });

    pub(super) fn prepare() {}

    /// False while the thread's storage is torn down.
    pub(super) fn expect() -> bool {
        GUARD.try_with(|_| ()).is_ok()
    }
}

/// What the first call of a thread needs of the process.
pub(crate) fn prepare_process() {
    let _ = ending::prepare();
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

/// The calling thread's record, if its first cell is free for an ordinary call. It never is where the
/// thread has no record, or the protection is another than `Membarrier`.
#[inline(always)]
pub(crate) fn fast_record() -> Option<&'static Record> {
    let record = fast();
    record.first_cell().load(Relaxed).is_null().then_some(record)
}

/// Another free cell of that record, for a call inside of the ordinary one.
#[inline(always)]
pub(crate) fn nested_cell() -> Option<&'static AtomicPtr<Header>> {
    fast().free_cell()
}

#[inline(always)]
fn fast() -> &'static Record {
    // SAFETY: never null; records are static or leaked.
    unsafe { &*FAST.with(|fast| fast.load(Relaxed)) }
}

/// A free cell of the calling thread's record, whatever the protection.
pub(crate) fn free_cell() -> Option<&'static AtomicPtr<Header>> {
    record()?.free_cell()
}

/// Gives the calling thread a record, if it can have one, has none yet, and one is at hand.
///
/// True if a cell may now be had where there was none before. Allocates nothing.
pub(crate) fn equip() -> bool {
    equip_from(|number| THREADS.claim(number))
}

fn equip_from(claim: impl FnOnce(u64) -> Option<&'static Record>) -> bool {
    if RECORD.get().is_some() || ENDING.get() {
        return false;
    }
    let protection = barrier::ensure();
    if protection == Protection::Counter || !ending::expect() {
        return false;
    }
    let Some(record) = claim(number()) else { return false };
    RECORD.set(Some(record));
    if protection == Protection::Membarrier {
        FAST.with(|fast| fast.store(ptr::from_ref(record).cast_mut(), Relaxed));
    }
    true
}

/// Prepares the calling thread for its first call, and says how its calls will be protected.
///
/// Optional. A foreign thread's first call otherwise finds a record in a reserve (see
/// [`reserve_threads`]), which takes a microsecond or so and allocates nothing, or has its calls
/// counted in the slot while the reserve is used up. A real-time thread calls this before it starts,
/// since it also makes the C library set up the thread-local storage of a shared library, which may
/// allocate, and since a first call inside a signal handler is not safe.
///
/// Fixes the protection of the process, as [`init`](crate::init) with
/// [`Protection::Auto`](crate::Protection::Auto), if nobody has.
///
/// ```
/// # fn set_priority() {}
/// # fn run() {}
/// let control = std::thread::spawn(|| {
///     ringback::attach_thread(); // before it has its priority
///     set_priority();
///     run(); // the library calls listeners in here
/// });
/// # control.join().unwrap();
/// ```
///
/// # Thread
/// The calling one. When it ends, its record goes back to the reserve by itself.
#[allow(clippy::must_use_candidate)] // called for its effect
pub fn attach_thread() -> Protection {
    equip_from(|number| Some(THREADS.claim_or_allocate(number)));
    if record().is_some() { barrier::ensure() } else { Protection::Counter }
}

/// Allocates what the first calls of so many more threads need, so that they find it.
///
/// 64 threads at once are served without this. A thread that ends makes room for another.
pub fn reserve_threads(threads: usize) {
    THREADS.reserve(threads);
}

/// After a fork, in the child: this thread alone is left.
pub(crate) fn after_fork() {
    THREADS.after_fork(record());
}

/// The calling thread's record.
pub(crate) fn record() -> Option<&'static Record> {
    RECORD.get()
}

/// From here until [`end_counted`] the thread counts as inside of `header`.
///
/// Addresses in a table of the thread's own, not a list through the stack: a `longjmp` leaves an entry
/// behind, and so does a fiber that goes on in another thread, but never a dangling pointer.
pub(crate) fn begin_counted(header: *mut Header) {
    let calls = COUNTED_CALLS.get();
    COUNTED_CALLS.set(calls + 1);
    COUNTED.with(|inside| {
        if let Some(entry) = inside.get(calls) {
            entry.set(header);
        }
    });
}

pub(crate) fn end_counted() {
    COUNTED_CALLS.set(COUNTED_CALLS.get().saturating_sub(1));
}

/// Visits every listener the calling thread is inside of, until `found`.
fn any_inside(mut found: impl FnMut(*mut Header) -> bool) -> bool {
    if record().is_some_and(|record| record.inside().any(&mut found)) {
        return true;
    }
    COUNTED.with(|inside| inside.iter().take(COUNTED_CALLS.get()).any(|entry| found(entry.get())))
}

/// Whether the calling thread is inside this listener.
///
/// True also where that is not known: deeper than any sensible program nests its calls.
pub(crate) fn is_inside(header: *mut Header) -> bool {
    COUNTED_CALLS.get() > COUNTED_DEPTH || any_inside(|inside| inside == header)
}

/// How many counted calls of the calling thread are inside this listener; `None` where that is not known.
#[cfg(all(unix, not(miri)))]
pub(crate) fn counted_inside(header: *mut Header) -> Option<u32> {
    let calls = COUNTED_CALLS.get();
    COUNTED.with(|inside| {
        let known = inside.get(..calls)?;
        Some(known.iter().filter(|entry| entry.get() == header).count() as u32)
    })
}

/// Every listener the calling thread is known to be inside of.
pub(crate) fn inside() -> Vec<*mut Header> {
    let mut headers = Vec::new();
    any_inside(|header| {
        headers.push(header);
        false
    });
    headers
}
