//! State with a count, for callbacks that are written in C.
//!
//! # State
//! One block: the head (count and drop function), then the program's bytes. The count is the number
//! of references; at zero the drop function runs, and the block is freed.
//!
//! # Ordering
//! As in `Arc`: adding is Relaxed, since whoever adds already holds a reference; taking away is
//! Release, and the last one acquires, so that it sees what all others wrote.

use core::ffi::c_void;
use core::mem::size_of;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Two words, so that the bytes after it are aligned as `malloc` aligns.
#[repr(C)]
struct Head {
    count: AtomicUsize,
    drop: Option<unsafe extern "C" fn(state: *mut c_void)>,
}

const _: () = assert!(size_of::<Head>() == 2 * size_of::<usize>());

/// Beyond this somebody retains in a loop; the count must never wrap to zero.
const MOST: usize = isize::MAX as usize;

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
    // SAFETY: `head` is new memory of at least a head's size, aligned by calloc to two words; the
    // address right behind the head is still inside the block, or one past its end.
    unsafe {
        head.write(Head { count: AtomicUsize::new(1), drop });
        head.add(1).cast()
    }
}

/// Adds a reference to counted state. Null is ignored.
///
/// Owner: `state` is lent; the added reference is yours. Thread: any. Errors: none; a count that
/// would overflow ends the process.
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
    if head.count.fetch_add(1, Relaxed) > MOST {
        std::process::abort();
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
    if unsafe { (*head).count.fetch_sub(1, Release) } != 1 {
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
