// SPDX-License-Identifier: MIT OR Apache-2.0

//! The count of a C# callback, kept in native memory.
//!
//! Native code may retain and release a callback from any thread, and after the .NET runtime has ended
//! (Mono aborts the process that calls into it then). So the count is here, and the runtime is
//! entered for the last release only, and not once it has announced its end.
//!
//! # State
//! A [`Cell`] is made with one reference. Whoever takes the last one calls `free`, which frees the
//! handle, and drops the cell. [`ringback_dotnet_close`] is called when the runtime announces its end:
//! afterwards cells are dropped without `free`, since the process is about to return all memory.
//!
//! # Ordering
//! Releases are `Release`, the last one `Acquire`, as in `Arc`. `ENTERED` and `CLOSED` are `SeqCst`
//! on both sides: a release that does not see `CLOSED` is seen in `ENTERED` by who closes.

use core::ffi::{c_char, c_void};
use std::mem;
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*, fence};
use std::thread;
use std::time::{Duration, Instant};

/// A function of the C# side. It does not unwind.
pub type Managed = unsafe extern "C" fn(handle: *mut c_void);

/// What a C# callback's `context` points at. The C# side reads `handle` in every call.
#[repr(C)]
pub struct Cell {
    handle: *mut c_void,
    count: AtomicUsize,
    free: Managed,
    cancel: Option<Managed>,
}

const _: () = assert!(mem::offset_of!(Cell, handle) == 0);

static ENTERED: AtomicUsize = AtomicUsize::new(0);
static CLOSED: AtomicBool = AtomicBool::new(false);

/// How long [`ringback_dotnet_close`] waits for those who are inside.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs `managed` unless the runtime has announced its end.
fn enter(managed: impl FnOnce()) {
    ENTERED.fetch_add(1, SeqCst);
    if !CLOSED.load(SeqCst) {
        managed();
    }
    ENTERED.fetch_sub(1, SeqCst);
}

/// A cell with one reference, which the caller owns. Never null.
///
/// # Safety
/// `free(handle)` and `cancel(handle)` may be called from any thread: `free` once, `cancel` any number
/// of times before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_new(
    handle: *mut c_void,
    free: Managed,
    cancel: Option<Managed>,
) -> *mut Cell {
    Box::into_raw(Box::new(Cell { handle, count: AtomicUsize::new(1), free, cancel }))
}

/// Adds a reference: the ABI's `retain`.
///
/// # Safety
/// The caller holds a reference to the cell.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_retain(context: *mut c_void) {
    // SAFETY: alive, by the caller's promise.
    let cell = unsafe { &*context.cast::<Cell>() };
    if cell.count.fetch_add(1, Relaxed) > usize::MAX / 2 {
        process::abort(); // forgotten references by the billion: rather end than free too early
    }
}

/// Takes a reference away: the ABI's `release`. The last one frees the handle, on this thread.
///
/// # Safety
/// The caller gives a reference of its own away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_release(context: *mut c_void) {
    let cell = context.cast::<Cell>();
    // SAFETY: alive, by the caller's promise.
    if unsafe { &*cell }.count.fetch_sub(1, Release) != 1 {
        return;
    }
    fence(Acquire);
    // SAFETY: that was the last reference, so the cell is ours.
    let Cell { handle, free, .. } = *unsafe { Box::from_raw(cell) };
    // SAFETY: the promise of who made the cell; called once, as the count reached zero once.
    enter(|| unsafe { free(handle) });
}

/// Asks a task to end early: the ABI's `cancel`.
///
/// # Safety
/// The caller holds a reference to the cell.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_cancel(context: *mut c_void) {
    // SAFETY: alive, by the caller's promise.
    let cell = unsafe { &*context.cast::<Cell>() };
    if let Some(cancel) = cell.cancel {
        // SAFETY: the promise of who made the cell; it is alive.
        enter(|| unsafe { cancel(cell.handle) });
    }
}

/// The functions that C# puts into the structs it gives away.
#[repr(C)]
#[derive(Debug)]
pub struct Functions {
    retain: unsafe extern "C" fn(*mut c_void),
    release: unsafe extern "C" fn(*mut c_void),
    cancel: unsafe extern "C" fn(*mut c_void),
}

/// Writes the addresses of this library's functions, which C# cannot ask for on every runtime.
///
/// # Safety
/// `functions` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_functions(functions: *mut Functions) {
    let all = Functions {
        retain: ringback_dotnet_retain,
        release: ringback_dotnet_release,
        cancel: ringback_dotnet_cancel,
    };
    // SAFETY: the caller's promise.
    unsafe { functions.write(all) };
}

/// The runtime announces its end: from now on it is not entered any more. Waits until nobody is
/// inside, for a second at most, as the one who is may be waiting for this thread.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_dotnet_close() {
    CLOSED.store(true, SeqCst);
    let begin = Instant::now();
    while ENTERED.load(SeqCst) > 0 && begin.elapsed() < PATIENCE {
        thread::yield_now();
    }
}

/// `rb_error_t`.
#[repr(C)]
#[derive(Debug)]
pub struct Error {
    text: *const c_char,
    length: usize,
    owner: *mut c_void,
    release: Option<unsafe extern "C" fn(owner: *mut c_void)>,
}

const _: () = assert!(mem::size_of::<Error>() == 4 * mem::size_of::<usize>());

/// Fills an error with a copy of the text; who receives the error releases it.
///
/// # Safety
/// `error` may be written; `text` points at `length` bytes of UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_dotnet_fill(error: *mut Error, text: *const u8, length: usize) {
    let mut copy = Vec::with_capacity(length);
    // SAFETY: the caller's promise; room was made.
    unsafe {
        ptr::copy_nonoverlapping(text, copy.as_mut_ptr(), length);
        copy.set_len(length);
    }
    let text: Box<Vec<u8>> = Box::new(copy);
    let filled = Error {
        text: text.as_ptr().cast(),
        length,
        owner: Box::into_raw(text).cast(),
        release: Some(free_text),
    };
    // SAFETY: the caller's promise.
    unsafe { error.write(filled) };
}

/// # Safety
/// `owner` is a `Box<Vec<u8>>`, and this is its only release.
unsafe extern "C" fn free_text(owner: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<u8>>()) });
}

#[cfg(test)]
mod tests;
