// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kinds of listeners: shared (`Fn`), exclusive (`FnMut`), once (`FnOnce`).

use super::dispatch;
use super::registration::Handle;
use super::signature::Signature;
use super::slot::Erased;
use super::thread;
use crate::boundary;
#[cfg(feature = "std")]
use crate::sync::AtomicU32;
use crate::sync::{AtomicBool, AtomicU64, Ordering::*};
use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::time::Duration;
#[cfg(feature = "std")]
use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Instant,
};

impl Erased {
    /// Moves `value` behind a thin pointer. `call` must be the typed function for it.
    pub(crate) fn boxed<T>(value: T, call: unsafe fn()) -> Self {
        /// # Safety
        /// `data` came from `Box::<T>::into_raw` and is not used again.
        unsafe fn drop_box<T>(data: *mut ()) {
            // SAFETY: the caller's promise.
            drop(unsafe { Box::from_raw(data.cast::<T>()) });
        }
        Erased { call, data: Box::into_raw(Box::new(value)).cast(), drop: drop_box::<T> }
    }

    /// Takes back what [`boxed`](Self::boxed) moved in.
    ///
    /// # Safety
    /// Made by `boxed::<T>`, and never published.
    pub(crate) unsafe fn into_inner<T>(self) -> T {
        // SAFETY: the caller's promise.
        *unsafe { Box::from_raw(self.data.cast::<T>()) }
    }

    /// Points at a value that lives for ever: nothing is allocated, nothing dropped.
    pub(crate) fn borrowed<T>(value: &'static T, call: unsafe fn()) -> Self {
        unsafe fn nothing(_: *mut ()) {}
        Erased { call, data: core::ptr::from_ref(value).cast_mut().cast(), drop: nothing }
    }
}

/// The listener behind a shared registration.
///
/// # Safety
/// `data` points at an `F`, and the calling thread is inside its registration for as long as `'a`.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn shared<'a, F>(data: *const ()) -> &'a F {
    // SAFETY: the caller's promise.
    unsafe { &*data.cast::<F>() }
}

/// An `FnMut` that is called by one thread at a time.
///
/// # State
/// `owner` is 0, or the number of the thread that is inside `value`. Who finds it taken by another
/// thread may wait at the `gate`; who finds itself there is a re-entry.
pub(crate) struct Exclusive<F> {
    owner: AtomicU64,
    gate: Gate,
    value: UnsafeCell<F>,
}

impl<F> Exclusive<F> {
    pub(crate) fn new(value: F) -> Self {
        Exclusive { owner: AtomicU64::new(0), gate: Gate::new(), value: UnsafeCell::new(value) }
    }

    pub(crate) fn into_inner(self) -> F {
        self.value.into_inner()
    }

    fn try_acquire(&self, thread: u64) -> bool {
        self.owner.compare_exchange(0, thread, SeqCst, Relaxed).is_ok()
    }

    fn acquire(&self, at_most: Duration) -> Option<Acquired<'_, F>> {
        let thread = thread::number();
        if self.try_acquire(thread) {
            return Some(Acquired(self));
        }
        if at_most.is_zero() || self.owner.load(Relaxed) == thread {
            return None; // a re-entry would wait for itself
        }
        self.gate.wait(at_most, || self.try_acquire(thread)).then_some(Acquired(self))
    }
}

struct Acquired<'a, F>(&'a Exclusive<F>);

impl<F> Drop for Acquired<'_, F> {
    fn drop(&mut self) {
        self.0.owner.store(0, SeqCst);
        self.0.gate.open();
    }
}

/// Where those wait who find a listener taken. The mutex guards nothing but the wait: no listener
/// runs while it is held.
#[cfg(feature = "std")]
struct Gate {
    waiters: AtomicU32,
    mutex: Mutex<()>,
    freed: Condvar,
}

#[cfg(feature = "std")]
impl Gate {
    fn new() -> Self {
        Gate { waiters: AtomicU32::new(0), mutex: Mutex::new(()), freed: Condvar::new() }
    }

    /// Tries until it succeeds or the time is over.
    fn wait(&self, at_most: Duration, mut attempt: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now().checked_add(at_most);
        let mut gate = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiters.fetch_add(1, SeqCst);
        let acquired = loop {
            if attempt() {
                break true;
            }
            let left =
                deadline.map_or(Duration::MAX, |d| d.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break false;
            }
            gate = self.freed.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        self.waiters.fetch_sub(1, SeqCst);
        acquired
    }

    /// Lets the next one try. Either this sees the waiter, or the waiter (which counts itself before
    /// it tries) sees the listener free.
    fn open(&self) {
        if self.waiters.load(SeqCst) != 0 {
            // Taken so that a waiter between its try and its wait is not missed.
            drop(self.mutex.lock().unwrap_or_else(PoisonError::into_inner));
            self.freed.notify_one();
        }
    }
}

/// Without `std` nobody waits.
#[cfg(not(feature = "std"))]
struct Gate;

#[cfg(not(feature = "std"))]
impl Gate {
    fn new() -> Self {
        Gate
    }

    fn wait(&self, _: Duration, _: impl FnMut() -> bool) -> bool {
        false
    }

    fn open(&self) {}
}

/// Calls an exclusive listener, or answers `on_busy`.
///
/// # Safety
/// `data` points at an `Exclusive<F>`, and the calling thread is inside its registration.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn exclusive<S: Signature, F>(
    data: *const (),
    invoke: impl FnOnce(&mut F) -> S::Output,
) -> S::Output {
    // SAFETY: the caller's promise.
    let listener = unsafe { &*data.cast::<Exclusive<F>>() };
    const {
        assert!(
            cfg!(feature = "std") || S::BUSY_WAIT.is_zero(),
            "`on_busy = wait(..)` needs ringback's feature `std`: without it nothing waits"
        );
    }
    match listener.acquire(S::BUSY_WAIT) {
        // SAFETY: `owner` is this thread and stays so until `acquired` is dropped; a nested call of
        // this thread is refused above. So this is the only reference.
        Some(acquired) => invoke(unsafe { &mut *acquired.0.value.get() }),
        None => busy::<S>(),
    }
}

#[cold]
fn busy<S: Signature>() -> S::Output {
    let core = &S::pool().core;
    core.busy.fetch_add(1, Relaxed);
    boundary::answer_or_abort(core.name, S::on_busy)
}

/// An `FnOnce` that retires its registration when it is called.
///
/// # State
/// `value` is initialised until the call that wins `taken` moves it out.
pub(crate) struct Once<F> {
    taken: AtomicBool,
    value: UnsafeCell<MaybeUninit<F>>,
    me: Handle,
}

impl<F> Once<F> {
    pub(crate) fn new(value: F, me: Handle) -> Self {
        Once { taken: AtomicBool::new(false), value: UnsafeCell::new(MaybeUninit::new(value)), me }
    }
}

impl<F> Drop for Once<F> {
    fn drop(&mut self) {
        if !*self.taken.get_mut() {
            // SAFETY: not taken, so still initialised.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}

/// Calls a once-listener the first time; afterwards the call is a stale one.
///
/// # Safety
/// `data` points at an `Once<F>`, and the calling thread is inside its registration.
#[doc(hidden)]
pub unsafe fn once<S: Signature, F>(
    data: *const (),
    invoke: impl FnOnce(F) -> S::Output,
) -> S::Output {
    // SAFETY: the caller's promise.
    let listener = unsafe { &*data.cast::<Once<F>>() };
    if listener.taken.swap(true, AcqRel) {
        return dispatch::stale::<S>(listener.me.slot());
    }
    // SAFETY: exactly one caller wins the swap, and the value is initialised until then.
    let value = unsafe { (*listener.value.get()).assume_init_read() };
    listener.me.retire_for(None);
    invoke(value)
}
