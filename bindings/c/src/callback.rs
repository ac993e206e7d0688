// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checking, keeping and letting go of a callback.

use crate::error::fill_static;
use crate::{RB_ABI, RB_INVALID, RB_OK, rb_callback_t, rb_error_t, rb_status_t};
use core::mem::size_of;
use core::ptr;

impl rb_callback_t {
    /// What an emptied callback is. Calling it is impossible, releasing it does nothing.
    const EMPTY: rb_callback_t = rb_callback_t {
        size: 0,
        abi: 0,
        call: None,
        context: ptr::null_mut(),
        retain: None,
        release: None,
    };

    /// Whether size and version are right: only then do the other fields mean anything.
    fn is_ours(&self) -> bool {
        self.size as usize == size_of::<rb_callback_t>() && self.abi == RB_ABI
    }

    /// What is wrong with it, and the remedy.
    fn complaint(&self) -> Option<&'static str> {
        if self.size == 0 && self.abi == 0 {
            return Some("the callback is empty (all zero): fill it with RB_CALLBACK_INIT");
        }
        if self.size as usize != size_of::<rb_callback_t>() {
            return Some("the callback's size is wrong: set it to sizeof(rb_callback_t)");
        }
        if self.abi != RB_ABI {
            return Some(
                "the callback's abi is not RB_ABI: rebuild both sides with one ringback.h",
            );
        }
        if self.call.is_none() {
            return Some("the callback's call is null: there is nothing to call");
        }
        if self.retain.is_some() && self.release.is_none() {
            return Some("the callback has retain but no release: it would never be freed");
        }
        None
    }
}

/// Whether a callback may be adopted: `RB_OK`, or `RB_INVALID` and a text that says the remedy.
///
/// Owner: `callback` is lent; a text in `*error` is yours, see `rb_error_clear`. Thread: any.
/// Errors: `RB_INVALID` if `callback` is null or empty, of a wrong size or version, has no `call`,
/// or has `retain` without `release`. `error` may be null.
///
/// # Safety
/// `callback` is null or readable; `error` is null or points to an `rb_error_t` whose text is null, or
/// that was filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_callback_check(
    callback: *const rb_callback_t,
    error: *mut rb_error_t,
) -> rb_status_t {
    // SAFETY: the caller passes null or a readable struct; it is only read, during this call.
    let complaint = match unsafe { callback.as_ref() } {
        None => Some("the callback is a null pointer"),
        Some(callback) => callback.complaint(),
    };
    match complaint {
        None => RB_OK,
        // SAFETY: `error` as the caller promises.
        Some(text) => unsafe { fill_static(error, RB_INVALID, text) },
    }
}

/// Adds one reference, so that a copy of the struct may be kept: `rb_callback_t copy = *callback;`.
///
/// Owner: `callback` is lent; the added reference is yours, and belongs to the copy. Thread: any.
/// Errors: `RB_INVALID` if the callback is invalid (see `rb_callback_check`) or has one owner that
/// cannot be copied; then no reference was added. A static callback always answers `RB_OK`.
///
/// # Safety
/// `callback` is null or points to a struct whose reference is held during this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_callback_retain(callback: *const rb_callback_t) -> rb_status_t {
    // SAFETY: the caller passes null or a readable struct.
    let Some(callback) = (unsafe { callback.as_ref() }) else { return RB_INVALID };
    if callback.complaint().is_some() {
        return RB_INVALID;
    }
    match (callback.retain, callback.release) {
        (Some(retain), _) => {
            // SAFETY: the struct is valid, and `retain` belongs with `context`, which the caller's
            // own reference keeps alive.
            unsafe { retain(callback.context) };
            RB_OK
        }
        (None, None) => RB_OK,
        (None, Some(_)) => RB_INVALID,
    }
}

/// Takes the struct's reference away and sets the struct to all zero, so that a second release of
/// the same struct does nothing.
///
/// Owner: the reference in `*callback` is gone afterwards. Thread: any; the maker's own clean-up
/// runs on this thread, after the struct was emptied. Errors: none; null and empty are ignored, and
/// a struct of a wrong size or version is emptied without a release, since its fields mean nothing.
///
/// # Safety
/// `callback` is null or points to a struct whose reference is the caller's to give up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_callback_release(callback: *mut rb_callback_t) {
    // SAFETY: the caller passes null or a struct of its own. The borrow ends with this line, so
    // that `release` may do with the emptied struct what it likes.
    let Some(held) =
        (unsafe { callback.as_mut() }).map(|held| core::mem::replace(held, rb_callback_t::EMPTY))
    else {
        return;
    };
    if let (true, Some(release)) = (held.is_ours(), held.release) {
        // SAFETY: the struct was valid, and its one reference is given up here: the struct was
        // emptied, so nobody can do it again.
        unsafe { release(held.context) };
    }
}
