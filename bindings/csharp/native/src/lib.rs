//! What the C# tests and benches call: a Rust library that keeps foreign callbacks and gives closures.

use core::ffi::c_void;
use ringback::ForeignError;
use ringback::abi::{RbError, Status};

pub mod bench;
pub mod closures;
pub mod keep;
pub mod kinds;
pub mod tasks;

/// Answers a C# caller that passed `out` and `error`.
///
/// # Safety
/// `out` may be written; `error` is null or may be written.
pub(crate) unsafe fn answer<R>(
    result: Result<R, ForeignError>,
    out: *mut R,
    error: *mut RbError,
) -> i32 {
    match result {
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            Status::OK.0
        }
        // SAFETY: the caller's promise.
        Err(failure) => unsafe { failure.send(error) },
    }
}

/// A raw pointer that may cross threads, as results must: what it points at is the C# side's.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Address(*mut c_void);

// SAFETY: only passed on, never followed.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}
