// SPDX-License-Identifier: MIT OR Apache-2.0

//! The boxes of headers that [`replace`](crate::Registration::replace) brought and that are in no use.
//!
//! # State
//! A box never leaves its slot: it is used for that slot's next `replace`, and never freed. So a call
//! that was held up between reading the slot and setting its cell can only stand in the way of a
//! listener of the same slot, which it sweeps when it is refused; and whatever it points at is a
//! header.
//!
//! # Ordering
//! A stack for each slot. Anybody puts (Release); only the slot's one registration takes (Acquire), so
//! what it has seen on top stays there until it takes it.

use super::slot::Header;
use crate::sync::{AtomicPtr, Ordering::*};
use alloc::boxed::Box;
use core::ptr::{self, NonNull};

/// The stacks of a pool: 8 bytes for each slot, from the first `replace` on.
pub(crate) struct Spares(AtomicPtr<AtomicPtr<Header>>);

impl Spares {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Spares(AtomicPtr::new(ptr::null_mut()))
        }
    }

    /// A box for slot `index` of so many.
    ///
    /// # Safety
    /// The caller has the slot's one registration, and names the same number of slots each time.
    pub(crate) unsafe fn take(&self, index: usize, slots: usize) -> NonNull<Header> {
        let stack = self.stack(index, slots);
        let mut top = stack.load(Acquire);
        while let Some(header) = NonNull::new(top) {
            // SAFETY: on the stack, and only the caller takes it off.
            let next = unsafe { header.as_ref() }.next.with(|next| unsafe { *next });
            match stack.compare_exchange(top, next, Acquire, Acquire) {
                Ok(_) => return header,
                Err(now) => top = now,
            }
        }
        NonNull::from(Box::leak(Box::new(Header::vacant())))
    }

    /// Keeps a box of slot `index`.
    ///
    /// # Safety
    /// It was taken for that slot of so many, and nobody refers to it.
    pub(crate) unsafe fn put(&self, index: usize, slots: usize, header: NonNull<Header>) {
        let stack = self.stack(index, slots);
        let mut top = ptr::null_mut(); // as it mostly is
        loop {
            // SAFETY: ours alone until it is on the stack.
            unsafe { header.as_ref() }.next.with_mut(|next| unsafe { *next = top });
            match stack.compare_exchange_weak(top, header.as_ptr(), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }

    fn stack(&self, index: usize, slots: usize) -> &AtomicPtr<Header> {
        let mut stacks = self.0.load(Acquire);
        if stacks.is_null() {
            let new: Box<[AtomicPtr<Header>]> =
                (0..slots).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
            let new = Box::into_raw(new);
            match self.0.compare_exchange(stacks, new.cast(), AcqRel, Acquire) {
                Ok(_) => stacks = new.cast(),
                Err(first) => {
                    // SAFETY: made above, and seen by nobody.
                    drop(unsafe { Box::from_raw(new) });
                    stacks = first;
                }
            }
        }
        assert!(index < slots);
        // SAFETY: so many were made, and they are never freed.
        unsafe { &*stacks.add(index) }
    }
}
