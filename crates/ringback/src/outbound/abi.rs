// SPDX-License-Identifier: MIT OR Apache-2.0

//! What crosses the border: the callback ABI, version 1.
//!
//! Every type that [`callback_type!`](crate::callback_type) declares has the layout of
//! [`RbCallback`]: `rb_callback_t` in C and C++, `Ringback.NativeCallback` in C#. Their owners are
//! [`Callback`](crate::Callback), `ringback::Callback` and `Ringback.Callback`.
//!
//! # Rules
//! 1. **A struct by value is one reference.** Who passes it gives the reference away; who receives it
//!    releases it, exactly once. A pointer to a struct lends it for the duration of the call.
//! 2. `retain` adds a reference, `release` takes one away; from any thread, also inside a call;
//!    neither unwinds. Both null: the callback lives for ever. Only `retain` null: it has one owner.
//!    Only `release` null, or `call` null: invalid.
//! 3. `call` comes from any thread, from many at once, nested. It does not unwind. Who calls holds a
//!    reference meanwhile. A callback made by ringback also survives that this reference is released
//!    inside the call, by the calling thread. A call ends on the thread, and on the stack, where it
//!    began, after all that were begun inside it: a fiber must not be suspended inside one.
//! 4. `call` answers [`Status::OK`] and has written `*out` (which does not exist where nothing is
//!    returned), or something else and has left it alone; then it may have filled `*error`, if that
//!    pointer is not null: all of it, with a text. The caller has set the text to null before, and
//!    looks at nothing else if it still is. Who receives a filled [`RbError`] releases its owner, once.
//! 5. `bool` is one byte, 0 or 1. What C cannot express does not cross.
//! 6. An async callback takes a completion by value and writes an [`RbTask`]: see there.

use core::ffi::{c_char, c_void};
use core::fmt;
use core::ptr;

/// The version of the ABI, as it stands in `RbCallback::abi`.
pub const VERSION: u32 = 1;

/// Adds or takes away one reference.
pub type Counting = unsafe extern "C" fn(context: *mut c_void);

/// A callback of any signature: `rb_callback_t`.
///
/// Plain data: copying it copies no reference.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RbCallback {
    /// `sizeof(rb_callback_t)`.
    pub size: u32,
    /// [`VERSION`].
    pub abi: u32,
    /// Really `rb_status_t call(void *context, arguments.., R *out, rb_error_t *error)`.
    pub call: Option<unsafe extern "C" fn()>,
    /// Passed to all three functions; its maker's.
    pub context: *mut c_void,
    /// Adds a reference.
    pub retain: Option<Counting>,
    /// Takes a reference away; the last one frees the context.
    pub release: Option<Counting>,
}

#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<RbCallback>() == 24 && size_of::<RbError>() == 16);

#[cfg(target_pointer_width = "64")]
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<RbCallback>() == 40 && align_of::<RbCallback>() == 8);
    assert!(offset_of!(RbCallback, size) == 0 && offset_of!(RbCallback, abi) == 4);
    assert!(offset_of!(RbCallback, call) == 8 && offset_of!(RbCallback, context) == 16);
    assert!(offset_of!(RbCallback, retain) == 24 && offset_of!(RbCallback, release) == 32);
    assert!(
        size_of::<RbError>() == 32
            && size_of::<RbTask>() == 24
            && size_of::<RbToken>() == 24
            && size_of::<Status>() == 4
    );
};

impl RbCallback {
    /// `sizeof(rb_callback_t)`, as it stands in [`size`](Self::size).
    pub const SIZE: u32 = size_of::<RbCallback>() as u32;

    /// What is wrong with the struct, if anything.
    ///
    /// # Errors
    /// The first thing that rule 2 or the header forbids.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.size != Self::SIZE {
            Err(Malformed::Size { found: self.size })
        } else if self.abi != VERSION {
            Err(Malformed::Version { found: self.abi })
        } else if self.call.is_none() {
            Err(Malformed::NoCall)
        } else if self.retain.is_some() && self.release.is_none() {
            Err(Malformed::NoRelease)
        } else {
            Ok(())
        }
    }

    /// Takes the reference away that this struct is.
    ///
    /// Without effect where size or version say that the other fields cannot be trusted.
    ///
    /// # Safety
    /// The struct keeps the rules of the [module](self), and is not used again.
    pub unsafe fn release(&self) {
        if self.size == Self::SIZE
            && self.abi == VERSION
            && let Some(release) = self.release
        {
            // SAFETY: the caller's promise.
            unsafe { release(self.context) }
        }
    }
}

/// Why a struct that came from foreign code is not a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// `size` is not `sizeof(rb_callback_t)`.
    Size {
        /// What it is.
        found: u32,
    },
    /// `abi` is not [`VERSION`].
    Version {
        /// What it is.
        found: u32,
    },
    /// `call` is null.
    NoCall,
    /// `retain` is set and `release` is null.
    NoRelease,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Size { found: 0 } => f.write_str(
                "`size` is 0, as in an empty callback: made of a null function, moved from, or never set; make it \
                 with RB_CALLBACK_INIT, ringback::Callback or Callback.From",
            ),
            Malformed::Size { found } => write!(
                f,
                "`size` is {found}, not {}: set it to sizeof(rb_callback_t), as RB_CALLBACK_INIT does",
                RbCallback::SIZE
            ),
            Malformed::Version { found } => write!(
                f,
                "`abi` is {found}, but this library speaks version {VERSION}: build both sides with \
                 the same major version of ringback"
            ),
            Malformed::NoCall => f.write_str("`call` is null: there is nothing to call"),
            Malformed::NoRelease => f.write_str(
                "`retain` is set but `release` is null, so what is retained could never be released: \
                 set both, or neither for a callback that lives for ever",
            ),
        }
    }
}

impl core::error::Error for Malformed {}

/// How a call ended: `rb_status_t`. A foreign side may answer any number; those without a name are
/// errors of an unknown kind.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub i32);

impl Status {
    /// The result was written.
    pub const OK: Status = Status(0);
    /// The callee raised an error: an exception, or an `Err`.
    pub const ERROR: Status = Status(1);
    /// Rust code panicked.
    pub const PANIC: Status = Status(2);
    /// The task was cancelled, or dropped without an end.
    pub const CANCELLED: Status = Status(3);
    /// The callback, or an argument, is not valid.
    pub const INVALID: Status = Status(4);
    /// A bounded queue was full or closed.
    pub const REJECTED: Status = Status(5);
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Status::OK => "ok",
            Status::ERROR => "error",
            Status::PANIC => "panic",
            Status::CANCELLED => "cancelled",
            Status::INVALID => "invalid",
            Status::REJECTED => "rejected",
            Status(other) => return write!(f, "status {other}"),
        })
    }
}

/// The text of an error, on its way to the caller: `rb_error_t`.
///
/// Owner: whoever made it, until the receiver calls `release(owner)`.
#[repr(C)]
#[derive(Debug)]
pub struct RbError {
    /// UTF-8, `length` bytes; null for none.
    pub text: *const c_char,
    /// Bytes.
    pub length: usize,
    /// Passed to `release`.
    pub owner: *mut c_void,
    /// Null where the text lives for ever. Called once, from any thread.
    pub release: Option<Counting>,
}

impl RbError {
    /// What a caller passes to be filled. That the text is null is enough.
    pub const EMPTY: RbError =
        RbError { text: ptr::null(), length: 0, owner: ptr::null_mut(), release: None };
}

/// A running async call, as its caller holds it: `rb_task_t`.
///
/// An async callback of `async fn(args..) -> R` is a callback struct with
///
/// ```c
/// rb_status_t call(void *context, args.., completion done, rb_task_t *task, rb_error_t *error);
/// ```
/// `done` is a callback struct by value, of signature
///
/// ```c
/// rb_status_t call(void *context, rb_status_t outcome, const R *value, const rb_error_t *why, rb_error_t *error);
/// ```
/// Who is called calls `done` at most once, from any thread, perhaps before it returns, and then
/// releases it; released without a call means cancelled. `value` is null unless the outcome is
/// [`Status::OK`], and where there is no result; `why` may be null; both are lent. If `call` answers
/// anything but [`Status::OK`] it has released `done` without calling it, and left `*task` alone.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RbTask {
    /// Passed to both functions.
    pub context: *mut c_void,
    /// Asks the task to end early; any thread, any number of times. The outcome still arrives. Null:
    /// cannot be asked.
    pub cancel: Option<Counting>,
    /// Gives the task up, exactly once; it goes on. Null: nothing to do.
    pub release: Option<Counting>,
}

impl RbTask {
    /// A task that cannot be cancelled.
    pub const NONE: RbTask = RbTask { context: ptr::null_mut(), cancel: None, release: None };
}

/// A reference that counts copies of something else: `rb_token_t`.
///
/// A token is one reference; each copy of it is retained and released. Its last release tells Rust
/// that no copy is left, and does nothing else: it may happen inside any lock.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RbToken {
    /// Passed to both functions.
    pub context: *mut c_void,
    /// Adds a reference.
    pub retain: Option<Counting>,
    /// Takes a reference away.
    pub release: Option<Counting>,
}
