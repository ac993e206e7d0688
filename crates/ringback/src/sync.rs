// SPDX-License-Identifier: MIT OR Apache-2.0

//! The one door to atomics and fences: the real ones, or loom's when a model runs.
//!
//! Everything whose interleavings matter (slots, headers, thread records) takes its atomics from
//! here, so that the code which loom explores is the code which ships.

#[cfg(all(not(ringback_loom), not(target_has_atomic = "64")))]
pub use self::narrow::AtomicU64;
#[cfg(all(not(ringback_loom), target_has_atomic = "64"))]
pub use core::sync::atomic::AtomicU64;
#[cfg(ringback_loom)]
pub(crate) use loom::{
    future::AtomicWaker,
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};
#[cfg(not(ringback_loom))]
pub(crate) use {
    atomic_waker::AtomicWaker,
    core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, fence},
};
#[cfg(all(not(ringback_loom), feature = "std"))]
pub(crate) use {
    core::hint::spin_loop,
    core::sync::atomic::AtomicUsize,
    std::sync::{Mutex, MutexGuard},
};

pub(crate) use core::sync::atomic::Ordering;

/// Where another thread is a few instructions away from what this one waits for.
pub(crate) fn let_others_run() {
    #[cfg(ringback_loom)]
    loom::thread::yield_now();
    #[cfg(all(not(ringback_loom), feature = "std"))]
    std::thread::yield_now();
    #[cfg(not(feature = "std"))]
    core::hint::spin_loop();
}

/// For targets without 64-bit atomics, mostly bare metal: what is counted there wraps at 2^32.
#[cfg(not(target_has_atomic = "64"))]
mod narrow {
    use core::sync::atomic::{AtomicU32, Ordering};

    /// Counts as a `u64` and keeps 32 bits.
    #[derive(Debug)]
    pub struct AtomicU64(AtomicU32);

    impl AtomicU64 {
        #[doc(hidden)]
        #[must_use]
        pub const fn new(value: u64) -> Self {
            AtomicU64(AtomicU32::new(value as u32))
        }

        #[doc(hidden)]
        pub fn load(&self, order: Ordering) -> u64 {
            self.0.load(order).into()
        }

        #[doc(hidden)]
        pub fn store(&self, value: u64, order: Ordering) {
            self.0.store(value as u32, order);
        }

        #[doc(hidden)]
        pub fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            self.0.fetch_add(value as u32, order).into()
        }

        pub(crate) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
            self.0.fetch_sub(value as u32, order).into()
        }

        pub(crate) fn compare_exchange(
            &self,
            old: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            let answer = self.0.compare_exchange(old as u32, new as u32, success, failure);
            answer.map(u64::from).map_err(u64::from)
        }
    }
}

#[cfg(ringback_loom)]
pub(crate) use loom::cell::UnsafeCell as WatchedCell;

/// A cell whose accesses loom watches in a model; outside of one, a plain `UnsafeCell`.
#[cfg(not(ringback_loom))]
pub(crate) struct WatchedCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(ringback_loom))]
impl<T> WatchedCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        WatchedCell(core::cell::UnsafeCell::new(value))
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
pub(crate) fn register(waiter: &AtomicWaker, waker: &core::task::Waker) {
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
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(ringback_loom)]
    fence(Ordering::SeqCst);
}

/// Orders a thread with the signal handlers that interrupt it, nothing else.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) fn signal_fence() {
    #[cfg(not(ringback_loom))]
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// Stands where the real code relies on `SeqCst` reads, writes and read-modify-writes being in
/// one total order. loom treats those as acquire-release, so a model needs the fence spelled out;
/// outside a model it is nothing.
#[inline(always)]
pub(crate) fn total_order() {
    #[cfg(ringback_loom)]
    fence(Ordering::SeqCst);
}
