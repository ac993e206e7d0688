// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a call into foreign code can answer instead of its result.

use super::abi::{Malformed, RbError, Status};
use core::ffi::c_void;
use std::fmt;

/// A call through a callback did not bring a result.
///
/// Also what a Rust closure answers to make its foreign caller see an error: an exception in C++ and
/// C#, a status and a text in C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignError {
    status: Status,
    text: String,
}

impl ForeignError {
    /// An error of the callee's own, with its text.
    pub fn new(text: impl fmt::Display) -> Self {
        ForeignError { status: Status::ERROR, text: text.to_string() }
    }

    /// As [`new`](Self::new), with another status; [`Status::OK`] becomes [`Status::ERROR`].
    pub fn with_status(status: Status, text: impl fmt::Display) -> Self {
        let status = if status == Status::OK { Status::ERROR } else { status };
        ForeignError { status, text: text.to_string() }
    }

    /// What kind of error it is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What the callee said: the exception's or panic's text. May be empty.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads what a call has left behind, and releases it.
    ///
    /// # Safety
    /// `error` was passed to a call that has answered `status`: its text is null, or all of it is
    /// filled and was not read before.
    #[cold]
    #[doc(hidden)]
    pub unsafe fn receive(status: i32, error: *mut RbError) -> Self {
        // SAFETY: the text was set to null before the call.
        if unsafe { (*error).text.is_null() } {
            return ForeignError::with_status(Status(status), "");
        }
        // SAFETY: filled by the callee, with the text, and read for the first and last time.
        let error = unsafe { error.read() };
        // SAFETY: as above.
        let text = unsafe { text_of(&error) };
        if let Some(release) = error.release {
            // SAFETY: as above.
            unsafe { release(error.owner) };
        }
        ForeignError::with_status(Status(status), text)
    }

    /// Fills the foreign caller's error, if it gave one.
    ///
    /// # Safety
    /// `error` is null, or may be written.
    #[cold]
    #[doc(hidden)]
    pub unsafe fn send(self, error: *mut RbError) -> i32 {
        if !error.is_null() && !self.text.is_empty() {
            let text = Box::new(self.text);
            let filled = RbError {
                text: text.as_ptr().cast(),
                length: text.len(),
                owner: Box::into_raw(text).cast(),
                release: Some(free_text),
            };
            // SAFETY: the caller's promise.
            unsafe { error.write(filled) };
        }
        self.status.0
    }
}

/// A copy of the text. What is not UTF-8 is replaced.
///
/// # Safety
/// `text` is null or points at `length` bytes.
pub(crate) unsafe fn text_of(error: &RbError) -> String {
    if error.text.is_null() || error.length > isize::MAX as usize {
        return String::new();
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(error.text.cast::<u8>(), error.length) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// # Safety
/// `owner` is a `Box<String>`, and this is its only release.
unsafe extern "C" fn free_text(owner: *mut c_void) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(owner.cast::<String>()) });
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &*self.text) {
            (status, "") => write!(f, "the callback answered: {status}"),
            (Status::ERROR, text) => f.write_str(text),
            (status, text) => write!(f, "{status}: {text}"),
        }
    }
}

impl std::error::Error for ForeignError {}

impl From<String> for ForeignError {
    fn from(text: String) -> Self {
        ForeignError { status: Status::ERROR, text }
    }
}

impl From<&str> for ForeignError {
    fn from(text: &str) -> Self {
        ForeignError::new(text)
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for ForeignError {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        ForeignError::new(error)
    }
}

/// A struct that could not be adopted, and why. The struct comes back: dropping it releases it as far
/// as it can be trusted.
pub struct NotAdopted<T> {
    /// What was to be adopted.
    pub callback: T,
    /// What is wrong with it.
    pub reason: Malformed,
}

impl<T> fmt::Debug for NotAdopted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotAdopted").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for NotAdopted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a callback: {}", self.reason)
    }
}

impl<T> std::error::Error for NotAdopted<T> {}
