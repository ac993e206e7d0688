// SPDX-License-Identifier: MIT OR Apache-2.0

//! Who waits for one header, and how the finisher finds them.
//!
//! # State
//! `Header::waiter` is null, a counted [`Waiter`], or [`QUIET`]. The waiting handle puts its waiter
//! there by compare-exchange; the finisher swaps [`QUIET`] in and wakes what it gets out. So a wait
//! that begins before quiet is woken, and one that begins after sees that it is over.
//!
//! # Ordering
//! The finisher's swap is a release: who sees [`QUIET`] sees the listener dropped. The waker itself
//! is handed over by `AtomicWaker`: registered first, then `QUIET` is looked for once more. The finisher lets go of
//! the header after that swap and before it wakes, and only then is the header called quiet.

use super::slot::{Header, QUIET};
use crate::sync::{AtomicWaker, Ordering::*};
use alloc::sync::Arc;
use core::ptr;
use core::task::{Context, Poll};

/// Somebody who waits for one header: shared between the waiting handle and the finisher.
pub(crate) struct Waiter(AtomicWaker);

impl Waiter {
    /// The count that the header holds.
    ///
    /// # Safety
    /// `raw` is null, [`QUIET`], or a count that `attach` gave away and nobody else takes back.
    pub(crate) unsafe fn from_raw(raw: *mut ()) -> Option<Arc<Waiter>> {
        // SAFETY: neither null nor the mark, so what `Arc::into_raw` gave.
        (!raw.is_null() && raw != QUIET).then(|| unsafe { Arc::from_raw(raw.cast()) })
    }

    /// Wakes whoever waits. Runs a waker, which may be user code.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

/// The waiter of `header`, made at the first wait; `None` if it is quiet already.
fn attach(header: &Header) -> Option<Arc<Waiter>> {
    let present = header.waiter.load(Acquire);
    if present == QUIET {
        return None;
    }
    // One handle waits at a time, so the waiter found here was put there by this same handle.
    if !present.is_null() {
        // The finisher may take and drop the header's count at any moment, so that count cannot be
        // borrowed: take the header's pointer out, use it, put it back.
        let taken = header.waiter.compare_exchange(present, ptr::null_mut(), AcqRel, Acquire);
        if taken.is_err() {
            return None; // quiet in the meantime
        }
        // SAFETY: taken out by us alone.
        let waiter = unsafe { Waiter::from_raw(present) }?;
        return put(header, waiter);
    }
    put(header, Arc::new(Waiter(AtomicWaker::new())))
}

fn put(header: &Header, waiter: Arc<Waiter>) -> Option<Arc<Waiter>> {
    let raw = Arc::into_raw(Arc::clone(&waiter)).cast_mut().cast();
    match header.waiter.compare_exchange(ptr::null_mut(), raw, AcqRel, Acquire) {
        Ok(_) => Some(waiter),
        Err(_) => {
            // SAFETY: not given away after all.
            drop(unsafe { Waiter::from_raw(raw) });
            None
        }
    }
}

/// Polls for quiet; the task is woken when it comes.
pub(crate) fn poll_quiet(header: &Header, context: &Context<'_>) -> Poll<()> {
    match attach(header) {
        Some(waiter) => crate::sync::register(&waiter.0, context.waker()),
        // Quiet, but by a few instructions too early, and nobody else wakes.
        None if !header.is_quiet() => {
            crate::sync::let_others_run();
            context.waker().wake_by_ref();
        }
        None => {}
    }
    if header.is_quiet() { Poll::Ready(()) } else { Poll::Pending }
}
