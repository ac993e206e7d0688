// SPDX-License-Identifier: MIT OR Apache-2.0

//! State with a count, for callbacks that are written in C.
//!
//! # State
//! One block: the head (count and drop function), then the program's bytes. The count is the number
//! of references; at zero the drop function runs, and the block is freed. A count that passes
//! [`LIMIT`] stays up there and its block is leaked, instead of wrapping to zero or ending the process
//! (the rule of Linux's `refcount_t`).
//!
//! # Ordering
//! As in `Arc`: adding is Relaxed, since whoever adds already holds a reference; taking away is
//! Release, and the last one acquires, so that it sees what all others wrote.

use core::ffi::c_void;
use core::mem::size_of;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Sixteen bytes, so that the program's bytes behind it are aligned as `malloc` aligns: to 16 or, on
/// some targets of 32 bits, to 8. Not `align(16)`, which those would break.
#[repr(C)]
struct Head {
    count: AtomicUsize,
    drop: Option<unsafe extern "C" fn(state: *mut c_void)>,
    padding: [u8; 16 - 2 * size_of::<usize>()],
}

const _: () = assert!(size_of::<Head>() == 16);

/// More references than fit into memory.
const LIMIT: usize = usize::MAX / 2;
/// Where a count stays that has passed the limit: far from both ends.
const SATURATED: usize = usize::MAX / 4 * 3;

/// The head in front of `state`.
///
/// # Safety
/// `state` came from `rb_counted_new` and has not been freed.
unsafe fn head_of(state: *mut c_void) -> *mut Head {
    // SAFETY: such a block begins with a head, and `state` points right behind it.
    unsafe { state.cast::<Head>().sub(1) }
}

/// Makes `size` bytes of counted state, all zero, aligned for any type, with one reference.
///
/// `rb_counted_retain` and `rb_counted_release` are then the `retain` and `release` of a callback
/// whose `context` is this state. `drop`, if not null, is called with the state once the last
/// reference has gone, just before the memory is freed; it must not throw or retain.
///
/// Owner: the returned reference is yours. Thread: any; `drop` runs on the thread of the last
/// release. Errors: null if there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn rb_counted_new(
    size: usize,
    drop: Option<unsafe extern "C" fn(state: *mut c_void)>,
) -> *mut c_void {
    let Some(bytes) = size_of::<Head>().checked_add(size) else { return ptr::null_mut() };
    // SAFETY: any size may be asked for; the answer is null or that many zeroed bytes.
    let head = unsafe { libc::calloc(1, bytes) }.cast::<Head>();
    if head.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `head` is new memory of at least a head's size, aligned by calloc for any
    // type of C, so for its words; the address right behind the head is still inside the block, or
    // one past its end.
    unsafe {
        let padding = [0; 16 - 2 * size_of::<usize>()];
        head.write(Head { count: AtomicUsize::new(1), drop, padding });
        head.add(1).cast()
    }
}

/// Adds a reference to counted state. Null is ignored.
///
/// Owner: `state` is lent; the added reference is yours. Thread: any. Errors: none; state
/// with more references than fit into memory is never freed.
///
/// # Safety
/// `state` is null, or came from `rb_counted_new` and a reference to it is held during this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_counted_retain(state: *mut c_void) {
    if state.is_null() {
        return;
    }
    // SAFETY: the caller holds a reference, so the block is alive.
    let head = unsafe { &*head_of(state) };
    if head.count.fetch_add(1, Relaxed) > LIMIT {
        head.count.store(SATURATED, Relaxed);
    }
}

/// Takes one reference to counted state away; the last one calls `drop` and frees. Null is ignored.
///
/// Owner: one reference is gone afterwards. Thread: any. Errors: none.
///
/// # Safety
/// `state` is null, or came from `rb_counted_new` and the reference is the caller's to give up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_counted_release(state: *mut c_void) {
    if state.is_null() {
        return;
    }
    // SAFETY: the caller's reference keeps the block alive until the subtraction.
    let head = unsafe { head_of(state) };
    // SAFETY: as above; the borrow of `count` ends with this expression.
    let before = unsafe { (*head).count.fetch_sub(1, Release) };
    if before > LIMIT {
        // SAFETY: a count beyond the limit never comes down, so the block is never freed.
        return unsafe { (*head).count.store(SATURATED, Relaxed) };
    }
    if before != 1 {
        return;
    }
    // SAFETY: the block is freed below, by this thread only.
    unsafe { (*head).count.load(Acquire) };
    // SAFETY: this was the last reference, so nobody else can reach the block; `drop` was given for
    // this very state, and the block came from calloc.
    unsafe {
        if let Some(drop) = (*head).drop {
            drop(state);
        }
        libc::free(head.cast());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn never(_: *mut c_void) {
        unreachable!("dropped, though its count had saturated");
    }

    #[test]
    fn a_count_beyond_all_reason_leaks_instead_of_freeing() {
        let state = rb_counted_new(1, Some(never));
        // SAFETY: alive until the end of this test, as the count never comes down.
        let head = unsafe { &*head_of(state) };
        for start in [LIMIT, LIMIT + 1, usize::MAX] {
            head.count.store(start, Relaxed);
            for _ in 0..3 {
                // SAFETY: as above.
                unsafe { rb_counted_retain(state) };
            }
            assert_eq!(head.count.load(Relaxed), SATURATED);
            for _ in 0..9 {
                // SAFETY: as above.
                unsafe { rb_counted_release(state) };
                assert_eq!(head.count.load(Relaxed), SATURATED);
            }
        }
        // SAFETY: nobody else has the block, and it came from calloc.
        unsafe { libc::free(head_of(state).cast()) };
    }
}
