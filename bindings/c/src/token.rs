// SPDX-License-Identifier: MIT OR Apache-2.0

//! References that count copies of something else.

use crate::{RB_INVALID, RB_OK, rb_status_t, rb_token_t};
use core::ptr;

/// Adds one reference, so that a copy of the token may be kept: `rb_token_t copy = *token;`.
///
/// Owner: `token` is lent; the added reference is yours, and belongs to the copy. Thread: any.
/// Errors: `RB_INVALID` if `token` is null or has one owner that cannot be copied; then no reference
/// was added.
///
/// # Safety
/// `token` is null or points to a token whose reference is held during this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_token_retain(token: *const rb_token_t) -> rb_status_t {
    // SAFETY: the caller passes null or a readable struct.
    let Some(token) = (unsafe { token.as_ref() }) else { return RB_INVALID };
    match (token.retain, token.release) {
        (Some(retain), _) => {
            // SAFETY: `retain` and `context` came together, and the caller's reference keeps them.
            unsafe { retain(token.context) };
            RB_OK
        }
        (None, None) => RB_OK,
        (None, Some(_)) => RB_INVALID,
    }
}

/// Takes the token's reference away and sets the struct to all zero, so that a second release of the
/// same struct does nothing.
///
/// Owner: the reference in `*token` is gone afterwards. Thread: any. Errors: none; null and empty are
/// ignored.
///
/// # Safety
/// `token` is null or points to a token whose reference is the caller's to give up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_token_release(token: *mut rb_token_t) {
    const EMPTY: rb_token_t = rb_token_t { context: ptr::null_mut(), retain: None, release: None };
    if token.is_null() {
        return;
    }
    // SAFETY: not null, so initialised and the caller's.
    let held = unsafe { ptr::replace(token, EMPTY) };
    if let Some(release) = held.release {
        // SAFETY: `release` and `context` came together, and the struct is empty now.
        unsafe { release(held.context) };
    }
}
