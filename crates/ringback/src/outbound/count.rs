// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who may still use a callback: a count of references, one of weak ones.
//!
//! # State
//! `strong` counts references, `weak` counts weak ones and, while `strong` is not 0, one more.
//!
//! ```text
//!  strong 1.. --last drop--> 0: value dropped --> weak - 1
//!  weak       --last drop--> 0: memory freed
//! ```
//! The reference whose drop takes `strong` from 1 to 0 drops the value, alone: nobody comes back from
//! 0, since an upgrade never adds to 0. Foreign code may retain as often as it likes: a count that
//! passes [`LIMIT`] stays up there and its value is leaked, instead of ending the process (the rule
//! of Linux's `refcount_t`).
//!
//! # Ordering
//! Giving a reference up is Release, and the last one acquires all others: the drop of the
//! value happens after everything any reference did with it. The same for `weak` and the memory.
//! Retaining is Relaxed: who retains holds a reference.

use crate::sync::{AtomicUsize, Ordering::*, WatchedCell};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// More references than fit into memory.
const LIMIT: usize = usize::MAX / 2;
/// Where a count stays that has passed the limit: far from both ends.
const SATURATED: usize = usize::MAX / 4 * 3;

#[repr(C)]
pub(crate) struct Counted<T> {
    strong: AtomicUsize,
    weak: AtomicUsize,
    value: WatchedCell<MaybeUninit<T>>,
}

/// One reference.
pub(crate) struct Strong<T>(NonNull<Counted<T>>);

// SAFETY: shares `&T` and may drop `T` anywhere, as `Arc`.
unsafe impl<T: Send + Sync> Send for Strong<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Strong<T> {}

/// One weak reference.
pub(crate) struct Weak<T>(NonNull<Counted<T>>);

// SAFETY: as `Strong`, which it may become.
unsafe impl<T: Send + Sync> Send for Weak<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Weak<T> {}

/// Adds one, and keeps a count that is out of all reason where it is.
#[inline(always)]
fn add(count: &AtomicUsize) {
    if count.fetch_add(1, Relaxed) > LIMIT {
        count.store(SATURATED, Relaxed);
    }
}

/// Takes one away; true if it was the last.
#[inline(always)]
fn take(count: &AtomicUsize) -> bool {
    let before = count.fetch_sub(1, Release);
    if before.wrapping_sub(2) <= LIMIT {
        return false; // at least one is left
    }
    if before == 1 {
        count.load(Acquire);
        return true;
    }
    count.store(SATURATED, Relaxed);
    false
}

impl<T> Strong<T> {
    pub(crate) fn new(value: T) -> Self {
        let counted = Counted {
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
            value: WatchedCell::new(MaybeUninit::new(value)),
        };
        Strong(NonNull::from(Box::leak(Box::new(counted))))
    }

    #[inline(always)]
    fn counted(&self) -> &Counted<T> {
        // SAFETY: a reference keeps the memory.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> &T {
        // SAFETY: a reference keeps the value, which nobody writes to before the last is gone.
        self.counted().value.with(|value| unsafe { (*value).assume_init_ref() })
    }

    pub(crate) fn downgrade(&self) -> Weak<T> {
        add(&self.counted().weak);
        Weak(self.0)
    }

    /// How many references there are. A hint: others may come and go.
    pub(crate) fn count(&self) -> usize {
        self.counted().strong.load(Relaxed)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The reference as an address, to be taken back by [`from_raw`](Self::from_raw).
    pub(crate) fn into_raw(self) -> *mut Counted<T> {
        let raw = self.0.as_ptr();
        std::mem::forget(self);
        raw
    }

    /// # Safety
    /// From [`into_raw`](Self::into_raw), and a reference of its own.
    pub(crate) unsafe fn from_raw(raw: *mut Counted<T>) -> Self {
        // SAFETY: not null, as it came from a reference.
        Strong(unsafe { NonNull::new_unchecked(raw) })
    }
}

impl<T> Counted<T> {
    /// The value of a reference that stays a raw one.
    ///
    /// # Safety
    /// From [`Strong::into_raw`], and kept by a reference during `'a`.
    #[inline(always)]
    pub(crate) unsafe fn get<'a>(this: *const Self) -> &'a T {
        // SAFETY: alive and initialised, by the caller's promise.
        unsafe { (*this).value.with(|value| (*value).assume_init_ref()) }
    }

    /// Adds a reference.
    ///
    /// # Safety
    /// The caller holds one.
    pub(crate) unsafe fn retain(this: *const Self) {
        // SAFETY: alive by the caller's promise.
        add(unsafe { &(*this).strong });
    }
}

impl<T> Clone for Strong<T> {
    #[inline]
    fn clone(&self) -> Self {
        add(&self.counted().strong);
        Strong(self.0)
    }
}

impl<T> Drop for Strong<T> {
    #[inline]
    fn drop(&mut self) {
        if take(&self.counted().strong) {
            let _shared = Weak(self.0); // the one that all references had together
            self.counted().value.with_mut(|value| {
                // SAFETY: initialised by `new`; this was the last reference, so nobody reads it any
                // more, and nobody else comes here.
                unsafe { (*value).assume_init_drop() }
            });
        }
    }
}

impl<T> Weak<T> {
    fn counted(&self) -> &Counted<T> {
        // SAFETY: a weak reference keeps the memory.
        unsafe { self.0.as_ref() }
    }

    /// A reference, if there is still one.
    pub(crate) fn upgrade(&self) -> Option<Strong<T>> {
        let strong = &self.counted().strong;
        let mut now = strong.load(Relaxed);
        while now != 0 {
            // One that is saturated stays where it is.
            let more = if now > LIMIT { now } else { now + 1 };
            match strong.compare_exchange_weak(now, more, Acquire, Relaxed) {
                Ok(_) => return Some(Strong(self.0)),
                Err(changed) => now = changed,
            }
        }
        None
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        add(&self.counted().weak);
        Weak(self.0)
    }
}

impl<T> Drop for Weak<T> {
    fn drop(&mut self) {
        if take(&self.counted().weak) {
            // SAFETY: made by `Strong::new`; no reference of either kind is left, and the value, if
            // it was dropped at all, is not dropped again: it is a `MaybeUninit`.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

#[cfg(all(test, not(ringback_loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_last_reference_drops_the_value_and_weak_ones_know() {
        let value = Arc::new(());
        let strong = Strong::new(Arc::clone(&value));
        let weak = strong.downgrade();
        let second = weak.upgrade().expect("alive");
        drop(strong);
        assert_eq!(Arc::strong_count(&value), 2);
        drop(second);
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn a_count_beyond_all_reason_leaks_instead_of_freeing() {
        let value = Arc::new(());
        let strong = Strong::new(Arc::clone(&value));
        strong.counted().strong.store(LIMIT + 1, Relaxed);
        drop(strong.clone());
        assert!(strong.count() > LIMIT);
        let counted = strong.0;
        for _ in 0..3 {
            // SAFETY: the memory is never freed, which is what this tests.
            drop(unsafe { Strong::from_raw(counted.as_ptr()) });
        }
        drop(strong);
        assert_eq!(Arc::strong_count(&value), 2, "still alive");
        // SAFETY: no reference is left in this test but the leaked ones.
        let left = unsafe { Box::from_raw(counted.as_ptr()) };
        left.value.with_mut(|value| {
            // SAFETY: still initialised.
            unsafe { (*value).assume_init_drop() }
        });
    }

    #[test]
    fn a_panicking_destructor_does_not_leak_the_memory() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                panic!("on purpose");
            }
        }
        let strong = Strong::new(Panics);
        let weak = strong.downgrade();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(strong)));
        assert!(unwound.is_err());
        assert!(weak.upgrade().is_none());
        assert_eq!(weak.counted().weak.load(Relaxed), 1);
    }
}
