// SPDX-License-Identifier: MIT OR Apache-2.0

//! Promise 11: after start, dispatch allocates nothing. Once it is told to, the allocator of this program
//! aborts when a thread that takes part asks it for anything; attached threads, threads served from the
//! reserve, and threads beyond it all call. (The test harness's own threads may go on allocating.)
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::watchdog;
use ringback::{
    BYTES_PER_SLOT, BYTES_PER_THREAD, Mailbox, OverflowPolicy, Protection, Take, callback_pool,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::thread;

// Memory per slot and per thread is bounded: what `BYTES_PER_SLOT` and `BYTES_PER_THREAD` may be at most.
const _: () = assert!(BYTES_PER_SLOT <= 128 && BYTES_PER_THREAD <= 1024);

struct Sealed;

static SEALED: AtomicBool = AtomicBool::new(false);
/// The tests seal it in turn.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
thread_local!(static TAKES_PART: Cell<bool> = const { Cell::new(false) });

fn refuse(what: &str) {
    if TAKES_PART.get() && SEALED.swap(false, SeqCst) {
        eprintln!("{what} after start");
        std::process::abort();
    }
}

// SAFETY: passes everything on to the system's allocator, or ends the process.
unsafe impl GlobalAlloc for Sealed {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse("allocated");
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        refuse("freed");
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Sealed = Sealed;

type Function = extern "C" fn(u64) -> u64;
callback_pool! { static POOL: Pool<extern "C" fn(u64) -> u64, 64>; fallback = u64::MAX; reuse = oldest_first; }
callback_pool! { static COUNTED: Pool<extern "C" fn(u64) -> u64, 64>; fallback = u64::MAX; protection = counter; }
callback_pool! { static GONE: Pool<extern "C" fn(u64) -> u64, 1>; fallback = u64::MAX; }

static FACTOR: AtomicUsize = AtomicUsize::new(3);
fn listener(x: u64) -> u64 {
    x * FACTOR.load(Relaxed) as u64
}

static READY: AtomicUsize = AtomicUsize::new(0);
static GO: AtomicBool = AtomicBool::new(false);
static DONE: AtomicUsize = AtomicUsize::new(0);

/// Calls in every way, allocating nothing itself.
fn work(function: Function, counted: Function, stale: Function, calls: u64, attach: bool) {
    if attach {
        assert_eq!(Some(ringback::attach_thread()), ringback::protection());
    }
    TAKES_PART.set(true);
    READY.fetch_add(1, SeqCst);
    while !GO.load(SeqCst) {
        thread::yield_now();
    }
    let mut right = true;
    for x in 0..calls {
        right &= function(x) == x * 3;
    }
    for x in 0..calls / 10 {
        right &= counted(x) == x * 3 && stale(x) == u64::MAX;
    }
    if !right {
        std::process::abort();
    }
    DONE.fetch_add(1, SeqCst);
    while DONE.load(SeqCst) != usize::MAX {
        thread::yield_now(); // ending frees
    }
}

#[test]
fn calls_allocate_nothing_after_start_not_even_the_first() {
    const ATTACHED: usize = 2;
    const NEW: usize = 4;
    const BEYOND_THE_RESERVE: usize = 70;
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _alive = watchdog("calls under a sealed allocator");
    let mine = POOL.register_static(&(listener as fn(u64) -> u64)).unwrap();
    let nested = mine.as_fn();
    let outer = POOL.register(move |x| nested(x)).unwrap();
    let counted = COUNTED.register_static(&(listener as fn(u64) -> u64)).unwrap();
    let gone = GONE.register(|x| x).unwrap();
    let (function, count, stale) = (outer.as_fn(), counted.as_fn(), gone.as_fn());
    gone.unregister().unwrap();
    ringback::attach_thread();

    let total = ATTACHED + NEW + BEYOND_THE_RESERVE;
    let threads: Vec<_> = (0..total)
        .map(|i| {
            let calls = if i < ATTACHED { 1_000_000 } else { 10_000 };
            thread::spawn(move || work(function, count, stale, calls, i < ATTACHED))
        })
        .collect();
    while READY.load(SeqCst) < total {
        thread::yield_now();
    }
    TAKES_PART.set(true);
    SEALED.store(true, SeqCst);
    GO.store(true, SeqCst);
    while DONE.load(SeqCst) < total {
        // Registering and retiring what is static allocates nothing either.
        let more = POOL.register_static(&(listener as fn(u64) -> u64)).unwrap();
        if more.as_fn()(2) != 6 {
            std::process::abort();
        }
        let mut retired = more.retire();
        while let Err(back) = retired.try_wait() {
            retired = back;
        }
        thread::yield_now();
    }
    SEALED.store(false, SeqCst);
    TAKES_PART.set(false); // what this thread does after its turn is the harness's
    DONE.store(usize::MAX, SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(ringback::protection(), Some(ringback::init(Protection::Auto).unwrap()));
}

/// Fresh keys only, and always full but for one: what removed keys leave behind in the map of keys must not
/// make it grow.
#[test]
fn a_preallocated_mailbox_that_coalesces_allocates_nothing_either() {
    const MESSAGES: u64 = 20_000;
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _alive = watchdog("a mailbox under a sealed allocator");
    for capacity in [1, 7, 100, 1024] {
        let mailbox = Mailbox::bounded(capacity)
            .overflow(OverflowPolicy::Reject(1))
            .preallocated()
            .budget(1)
            .coalesce_by(|key| *key);
        let (registration, deliver) =
            POOL.register_async(mailbox, |key| Take::Accept(key, 0), async |_| ()).unwrap();
        let function = registration.as_fn();
        let at_first = registration.counts().allocated_bytes;
        let mut deliver = pin!(deliver);
        let mut context = Context::from_waker(Waker::noop());
        let mut polled =
            |deliver: std::pin::Pin<&mut _>| Future::poll(deliver, &mut context).is_pending();
        assert!(polled(deliver.as_mut()));
        TAKES_PART.set(true);
        SEALED.store(true, SeqCst);
        let mut accepted = 0;
        while accepted < MESSAGES {
            match function(accepted) {
                0 => accepted += 1,
                // Full: one is delivered.
                _ if polled(deliver.as_mut()) => {}
                _ => std::process::abort(),
            }
        }
        let sealed = SEALED.swap(false, SeqCst);
        TAKES_PART.set(false);
        let counts = registration.counts();
        assert!(sealed);
        assert_eq!((counts.accepted, counts.queued), (MESSAGES, capacity as u64));
        assert_eq!(counts.allocated_bytes, at_first, "and says so");
    }
}
