// SPDX-License-Identifier: MIT OR Apache-2.0

//! A foreign call, from the thunk's body to the listener and back.

use super::barrier;
use super::core::Core;
use super::describe;
use super::signature::{PanicPolicy, Signature};
use super::slot::{Header, Slot};
use super::thread;
use crate::boundary::{self, Payload};
use crate::observer::{Event, report};
use crate::sync::{AtomicPtr, Ordering::*, fence, light_fence};
use core::mem::transmute_copy;
use core::ptr::NonNull;

/// Calls the listener behind `slot`, or answers in its place.
///
/// `invoke` passes the foreign caller's arguments to the listener's typed function.
///
/// # Safety
/// `slot` is one of the pool's: only the pool's own thunks call this, each with its own.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn dispatch<S: Signature>(
    slot: &'static Slot,
    invoke: impl FnOnce(S::Call, *const ()) -> S::Output,
) -> S::Output {
    if S::COUNT_CALLS {
        S::calls()[index_of::<S>(slot)].fetch_add(1, Relaxed);
    }
    if !S::ALWAYS_COUNTED
        && let Some(record) = thread::fast_record()
        && let Some(header) = slot.enter(record.first_cell(), false, light_fence)
    {
        record.keep_slot(slot);
        // SAFETY: entered, and not left before it returns.
        return match unsafe { call::<S>(header, invoke) } {
            Ok(value) => {
                // SAFETY: kept above, on the same thread (a call returns where it came in).
                let slot = unsafe { record.kept_slot() };
                if slot.leave(record.first_cell(), light_fence) {
                    sweep::<S>(slot);
                }
                value
            }
            Err(payload) => {
                // SAFETY: as above.
                let slot = unsafe { record.kept_slot() };
                left_by_panic::<S>(slot, record.first_cell(), payload)
            }
        };
    }
    if S::ALWAYS_COUNTED { slow::<S>(invoke, slot) } else { nested::<S>(invoke, slot) }
}

/// A call inside of another: as the ordinary one, in another cell.
#[inline(never)]
fn nested<S: Signature>(
    invoke: impl FnOnce(S::Call, *const ()) -> S::Output,
    slot: &'static Slot,
) -> S::Output {
    if let Some(cell) = thread::nested_cell() {
        // The fast path may have been refused after it had set its cell.
        if slot.withdraw(light_fence) {
            sweep::<S>(slot);
        }
        if let Some(header) = slot.enter(cell, false, light_fence) {
            // SAFETY: entered, and not left before it returns.
            return match unsafe { call::<S>(header, invoke) } {
                Ok(value) => {
                    if slot.leave(cell, light_fence) {
                        sweep::<S>(slot);
                    }
                    value
                }
                Err(payload) => left_by_panic::<S>(slot, cell, payload),
            };
        }
    }
    slow::<S>(invoke, slot)
}

/// Of ordinary and nested calls: what they do not do ordinarily.
#[cold]
#[inline(never)]
fn sweep<S: Signature>(slot: &'static Slot) {
    S::pool().core.sweep(index_of::<S>(slot));
}

#[cold]
#[inline(never)]
fn left_by_panic<S: Signature>(
    slot: &'static Slot,
    cell: &AtomicPtr<Header>,
    payload: Payload,
) -> S::Output {
    if slot.leave(cell, light_fence) {
        sweep::<S>(slot);
    }
    panicked::<S>(index_of::<S>(slot), payload)
}

fn index_of<S: Signature>(slot: &'static Slot) -> usize {
    (core::ptr::from_ref(slot).addr() - S::slots().as_ptr().addr()) / size_of::<Slot>()
}

/// # Safety
/// The calling thread is inside `header`, and `header` belongs to a pool of signature `S`.
#[inline(always)]
unsafe fn call<S: Signature>(
    header: NonNull<Header>,
    invoke: impl FnOnce(S::Call, *const ()) -> S::Output,
) -> Result<S::Output, Payload> {
    const { assert!(size_of::<S::Call>() == size_of::<unsafe fn()>()) };
    // SAFETY: inside, so the header is alive and its listener is not written to.
    let erased = unsafe { header.as_ref().erased() };
    // SAFETY: whoever registered erased a `S::Call` here (`Pool::erase` and its kin).
    let function: S::Call = unsafe { transmute_copy(&erased.call) };
    let data = erased.data.cast_const();
    boundary::contain(|| invoke(function, data))
}

/// How a call that took the slow path is known to be inside.
enum Way {
    Recorded(&'static AtomicPtr<Header>),
    Fenced(&'static AtomicPtr<Header>),
    Counted(usize),
}

enum Admission {
    Inside { way: Way, header: NonNull<Header>, bound: bool },
    Stale,
    WrongThread,
}

/// First calls of a thread, closed and thread-bound slots, other protections: everything but the ordinary
/// call.
#[cold]
#[inline(never)]
fn slow<S: Signature>(
    invoke: impl FnOnce(S::Call, *const ()) -> S::Output,
    slot: &'static Slot,
) -> S::Output {
    let core = &S::pool().core;
    let index = index_of::<S>(slot);
    let (way, header, bound) = match admit(core, index, slot, S::ALWAYS_COUNTED) {
        Admission::Inside { way, header, bound } => (way, header, bound),
        Admission::Stale => {
            drop_arguments(core, invoke);
            return stale::<S>(index);
        }
        Admission::WrongThread => {
            drop_arguments(core, invoke);
            core.wrong_thread.fetch_add(1, Relaxed);
            return boundary::answer_or_abort(core.name, S::on_wrong_thread);
        }
    };
    if let Way::Counted(_) = way {
        thread::begin_counted(header.as_ptr());
    }
    if bound {
        // SAFETY: admitted.
        unsafe { header.as_ref() }.enter_bound();
    }
    // SAFETY: admitted, and not left before it returns.
    let answer = unsafe { call::<S>(header, invoke) };
    if let Way::Counted(_) = way {
        thread::end_counted();
    }
    if leave(slot, &way) {
        core.sweep(index);
    }
    if bound {
        // SAFETY: a thread-bound listener is retired and finished by its own thread only, which is
        // this one, and it was not finished while this thread was inside. (Nobody waits for a slot with
        // such a listener, so nothing was swept above.)
        unsafe {
            header.as_ref().leave_bound();
            core.left_bound(index, header);
        }
    }
    match answer {
        Ok(value) => value,
        Err(payload) => panicked::<S>(index, payload),
    }
}

/// Drops what C passed by value to nobody: user code, which must not unwind into C.
fn drop_arguments(core: &Core, invoke: impl Sized) {
    if let Err(payload) = boundary::contain(|| drop(invoke)) {
        core.panicked.fetch_add(1, Relaxed);
        report(&Event::DropPanicked { pool: core.name, message: boundary::text_of(&*payload) });
        boundary::discard(payload);
    }
}

fn admit(core: &'static Core, index: usize, slot: &'static Slot, counted: bool) -> Admission {
    // The fast path may have been refused after it had set its cell.
    if slot.withdraw(light_fence) {
        core.sweep(index);
    }
    loop {
        let Some(link) = slot.current() else { return Admission::Stale };
        let bound = link.is_bound();
        // Only this thread can retire what is bound to it, so the answer stays true below.
        if bound && slot.bound_thread.load(Acquire) != thread::number() {
            return Admission::WrongThread;
        }
        let cell = if counted { None } else { thread::free_cell() };
        let (way, entered) = match cell {
            Some(cell) if barrier::callers_fence() => {
                (Way::Fenced(cell), slot.enter(cell, bound, || fence(SeqCst)))
            }
            Some(cell) => (Way::Recorded(cell), slot.enter(cell, bound, light_fence)),
            None if !counted && thread::equip() => continue,
            None => {
                let (phase, entered) = slot.enter_counted(bound);
                (Way::Counted(phase), entered)
            }
        };
        match entered {
            Some(header) => return Admission::Inside { way, header, bound },
            None if leave(slot, &way) => core.sweep(index),
            None => {}
        }
    }
}

/// Leaves; true if somebody waits and the slot is to be swept.
fn leave(slot: &Slot, way: &Way) -> bool {
    match way {
        Way::Recorded(cell) => slot.leave(cell, light_fence),
        Way::Fenced(cell) => slot.leave(cell, || fence(SeqCst)),
        Way::Counted(phase) => slot.leave_counted(*phase),
    }
}

/// The answer to a call that found no listener.
#[cold]
pub(crate) fn stale<S: Signature>(index: usize) -> S::Output {
    let core = &S::pool().core;
    core.slots[index].stale.fetch_add(1, Relaxed);
    core.stale.fetch_add(1, Relaxed);
    report(&Event::StaleCall { pool: core.name, slot: index });
    describe::stop_if_wanted(core, index);
    boundary::answer_or_abort(core.name, S::fallback)
}

#[cold]
fn panicked<S: Signature>(index: usize, payload: Payload) -> S::Output {
    let core = &S::pool().core;
    core.panicked.fetch_add(1, Relaxed);
    let message = boundary::text_of(&*payload);
    report(&Event::ListenerPanicked { pool: core.name, slot: index, message });
    match S::PANIC {
        PanicPolicy::Answer => {
            boundary::discard(payload);
            boundary::answer_or_abort(core.name, S::on_panic)
        }
        PanicPolicy::Abort => boundary::abort(),
        PanicPolicy::Propagate => boundary::propagate(payload),
    }
}
