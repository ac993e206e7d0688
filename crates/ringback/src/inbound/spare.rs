// SPDX-License-Identifier: MIT OR Apache-2.0

//! The boxes of headers that [`replace`](crate::Registration::replace) brought.
//!
//! # State
//! A box is made for one slot, stays in that slot's list and is never freed. It is in use from
//! [`prepare`](Spares::prepare) until neither a listener nor a handle is left of it (`Header::state`), and
//! then serves the slot's next `replace`. So a call that was held up between reading the slot and setting
//! its cell can only stand in the way of a listener of the same slot, which it sweeps when it is refused;
//! and whatever it points at is a header. And the child of a fork finds every box.
//!
//! # Ordering
//! Only the slot's one registration makes boxes and takes them. Whoever gives up the last bit of a state
//! does so with Release, and it is read with Acquire: all that was done to the header came before.

use super::slot::{Erased, Header};
use crate::sync::{AtomicPtr, Ordering::*};
use alloc::boxed::Box;
use core::ptr::{self, NonNull};

/// The lists of a pool: 8 bytes for each slot, from the first `replace` on.
pub(crate) struct Spares(AtomicPtr<AtomicPtr<Boxed>>);

#[repr(C)] // a pointer to one is a pointer to its header
struct Boxed {
    header: Header,
    /// The slot's box that was made before.
    older: *mut Boxed,
}

impl Spares {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Spares(AtomicPtr::new(ptr::null_mut()))
        }
    }

    /// A boxed header for slot `index` of so many, prepared for a listener.
    ///
    /// # Safety
    /// The caller has the slot's one registration, and names the same number of slots each time.
    pub(crate) unsafe fn prepare(
        &self,
        index: usize,
        slots: usize,
        erased: Erased,
    ) -> NonNull<Header> {
        let list = self.list(index, slots);
        let newest = list.load(Acquire);
        // SAFETY: boxes are never freed.
        let spare = boxes(newest).find(|header| unsafe { header.as_ref() }.is_free());
        let header = spare.unwrap_or_else(|| {
            let made = Box::new(Boxed { header: Header::vacant(), older: newest });
            let made = NonNull::from(Box::leak(made));
            list.store(made.as_ptr(), Release);
            made.cast()
        });
        // SAFETY: made above, or of no use to anybody; and nobody else takes a box of this slot.
        unsafe { header.as_ref().prepare(erased) };
        header
    }

    /// Every box of slot `index`, in the child of a fork.
    #[cfg(all(unix, feature = "std", not(any(miri, ringback_loom))))]
    pub(crate) fn of(&self, index: usize) -> impl Iterator<Item = NonNull<Header>> + Clone {
        let newest = NonNull::new(self.0.load(Acquire)).map_or(ptr::null_mut(), |lists| {
            // SAFETY: there is one for each slot, and they are never freed.
            let list = unsafe { lists.add(index).as_ref() };
            list.load(Acquire)
        });
        boxes(newest)
    }

    fn list(&self, index: usize, slots: usize) -> &AtomicPtr<Boxed> {
        let mut lists = self.0.load(Acquire);
        if lists.is_null() {
            let new: Box<[AtomicPtr<Boxed>]> =
                (0..slots).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
            let new = Box::into_raw(new);
            match self.0.compare_exchange(lists, new.cast(), AcqRel, Acquire) {
                Ok(_) => lists = new.cast(),
                Err(first) => {
                    // SAFETY: made above, and seen by nobody.
                    drop(unsafe { Box::from_raw(new) });
                    lists = first;
                }
            }
        }
        assert!(index < slots);
        // SAFETY: so many were made, and they are never freed.
        unsafe { &*lists.add(index) }
    }
}

/// The header of this box and of all that are older.
fn boxes(newest: *mut Boxed) -> impl Iterator<Item = NonNull<Header>> + Clone {
    let first = NonNull::new(newest);
    // SAFETY: boxes are never freed, and `older` is not written to once a box is in the list.
    core::iter::successors(first, |it| NonNull::new(unsafe { it.as_ref() }.older))
        .map(NonNull::cast)
}
