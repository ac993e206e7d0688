//! The one door to atomics and fences: the real ones, or loom's when a model runs.
//!
//! Everything whose interleavings matter (slots, headers, thread records) takes its atomics from
//! here, so that the code which loom explores is the code which ships.

#[cfg(ringback_loom)]
pub(crate) use loom::{
    future::AtomicWaker,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};
#[cfg(not(ringback_loom))]
pub(crate) use {
    atomic_waker::AtomicWaker,
    std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    },
    std::sync::{Mutex, MutexGuard},
};

pub(crate) use std::sync::atomic::Ordering;

#[cfg(ringback_loom)]
pub(crate) use loom::cell::UnsafeCell as WatchedCell;

/// A cell whose accesses loom watches in a model; outside of one, a plain `UnsafeCell`.
#[cfg(not(ringback_loom))]
pub(crate) struct WatchedCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(ringback_loom))]
impl<T> WatchedCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        WatchedCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, access: impl FnOnce(*const T) -> R) -> R {
        access(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
        access(self.0.get())
    }
}

/// Registers a waker: the two `AtomicWaker`s differ in what they take.
pub(crate) fn register(waiter: &AtomicWaker, waker: &std::task::Waker) {
    #[cfg(not(ringback_loom))]
    waiter.register(waker);
    #[cfg(ringback_loom)]
    waiter.register_by_ref(waker);
}

/// `const fn` outside models: loom's atomics have no constant constructor.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* $vis:vis fn $name:ident() -> $out:ty $body:block) => {
        #[cfg(not(ringback_loom))]
        $(#[$attribute])* $vis const fn $name() -> $out $body
        #[cfg(ringback_loom)]
        $(#[$attribute])* $vis fn $name() -> $out $body
    };
}

/// The caller's half of the asymmetric fence (P1202 `asymmetric_thread_fence_light`).
///
/// It only keeps the compiler from reordering; the processor is kept in order by the other half,
/// the `membarrier(2)` that a retiring thread executes. loom has no such pair, so a model runs a
/// full fence on both sides. What loom therefore cannot prove, that the light half suffices
/// against the heavy one, is what P1202 and the manual page of membarrier promise.
#[inline(always)]
pub(crate) fn light_fence() {
    #[cfg(not(ringback_loom))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(ringback_loom)]
    fence(Ordering::SeqCst);
}

/// Orders a thread with the signal handlers that interrupt it, nothing else.
#[inline(always)]
pub(crate) fn signal_fence() {
    #[cfg(not(ringback_loom))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// Stands where the real code relies on `SeqCst` reads, writes and read-modify-writes being in
/// one total order. loom treats those as acquire-release, so a model needs the fence spelled out;
/// outside a model it is nothing.
#[inline(always)]
pub(crate) fn total_order() {
    #[cfg(ringback_loom)]
    fence(Ordering::SeqCst);
}
