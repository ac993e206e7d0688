// SPDX-License-Identifier: MIT OR Apache-2.0

//! Texts of errors, and names of statuses.

use crate::{
    RB_CANCELLED, RB_ERROR, RB_INVALID, RB_OK, RB_PANIC, RB_REJECTED, rb_error_t, rb_status_t,
};
use core::ffi::{CStr, c_char, c_void};
use core::ptr;

impl rb_error_t {
    const EMPTY: rb_error_t =
        rb_error_t { text: ptr::null(), length: 0, owner: ptr::null_mut(), release: None };
}

/// Fills `*error` with a copy of a text that ends with a zero, and answers `RB_ERROR`, so that a
/// callback can end with `return rb_error_set(error, "no such file");`.
///
/// Owner: `text` is lent and copied; who receives the error frees the copy with `rb_error_clear`. A
/// text that was there before is freed. Thread: any. Errors: `error` and `text` may be null; with
/// no memory the error stays without text. Text that is not UTF-8 is shown with replacement
/// characters by those who print it.
///
/// # Safety
/// `error` is null or points to an `rb_error_t` whose text is null, or that was filled; `text` is null
/// or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_error_set(error: *mut rb_error_t, text: *const c_char) -> rb_status_t {
    // SAFETY: not null, so it ends with a zero, as the caller promises.
    let length = if text.is_null() { 0 } else { unsafe { CStr::from_ptr(text) }.count_bytes() };
    // SAFETY: `error` as the caller promises, and `text` has that many bytes.
    unsafe { rb_error_set_n(error, text, length) }
}

/// As `rb_error_set`, for a text of `length` bytes that need not end with a zero.
///
/// # Safety
/// `error` is null or points to an `rb_error_t` whose text is null, or that was filled; `text` is null
/// or has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_error_set_n(
    error: *mut rb_error_t,
    text: *const c_char,
    length: usize,
) -> rb_status_t {
    if error.is_null() {
        return RB_ERROR;
    }
    // SAFETY: `text` as the caller promises, and `error` is not null.
    unsafe {
        let new = copy(text, length);
        rb_error_clear(error); // after the copy: `text` may be (a part of) the old one
        error.write(new);
    }
    RB_ERROR
}

/// An error that owns a copy of the text, ended by a zero as a courtesy; empty if there is nothing to
/// copy or no memory.
///
/// # Safety
/// `text` is null or has `length` bytes.
unsafe fn copy(text: *const c_char, length: usize) -> rb_error_t {
    unsafe extern "C" fn free(owner: *mut c_void) {
        // SAFETY: `owner` is the block from malloc below, and this is called once.
        unsafe { libc::free(owner) };
    }
    let Some(bytes) = length.checked_add(1).filter(|_| !text.is_null()) else {
        return rb_error_t::EMPTY;
    };
    // SAFETY: any size may be asked for.
    let block = unsafe { libc::malloc(bytes) }.cast::<c_char>();
    if block.is_null() {
        return rb_error_t::EMPTY;
    }
    // SAFETY: `text` has `length` bytes, the new block one more, and they do not overlap.
    unsafe {
        ptr::copy_nonoverlapping(text, block, length);
        block.add(length).write(0);
    }
    rb_error_t { text: block, length, owner: block.cast(), release: Some(free) }
}

/// Puts a static text into `*error`, if there is room for one, and answers `status`.
///
/// # Safety
/// `error` is null or points to an `rb_error_t` whose text is null, or that was filled.
pub(crate) unsafe fn fill_static(
    error: *mut rb_error_t,
    status: rb_status_t,
    text: &'static str,
) -> rb_status_t {
    if !error.is_null() {
        let new = rb_error_t {
            text: text.as_ptr().cast(),
            length: text.len(),
            owner: ptr::null_mut(),
            release: None,
        };
        // SAFETY: not null, and as the caller promises.
        unsafe {
            rb_error_clear(error);
            error.write(new);
        }
    }
    status
}

/// Gives the text back and sets the struct to all zero, so that it can be used for another call.
///
/// Owner: the text is gone afterwards. Thread: any. Errors: none; null and empty are ignored.
///
/// # Safety
/// `error` is null or points to an `rb_error_t` whose text is null, or that was filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_error_clear(error: *mut rb_error_t) {
    // SAFETY: not null, so its text may be read; the other fields are there if the text is.
    if error.is_null() || unsafe { (*error).text.is_null() } {
        return;
    }
    // SAFETY: as above.
    let held = unsafe { ptr::replace(error, rb_error_t::EMPTY) };
    if let Some(release) = held.release {
        // SAFETY: `release` and `owner` came together, and since the struct is empty now, this is
        // the only call.
        unsafe { release(held.owner) };
    }
}

/// The name of a status, such as `RB_PANIC`; `RB_UNKNOWN` for a value this version has no name for.
///
/// Owner: the text is static and ends with a zero. Thread: any. Errors: none, never null.
#[unsafe(no_mangle)]
pub extern "C" fn rb_status_name(status: rb_status_t) -> *const c_char {
    let name = match status {
        RB_OK => c"RB_OK",
        RB_ERROR => c"RB_ERROR",
        RB_PANIC => c"RB_PANIC",
        RB_CANCELLED => c"RB_CANCELLED",
        RB_INVALID => c"RB_INVALID",
        RB_REJECTED => c"RB_REJECTED",
        _ => c"RB_UNKNOWN",
    };
    name.as_ptr()
}
