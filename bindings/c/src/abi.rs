// SPDX-License-Identifier: MIT OR Apache-2.0

//! The structs that cross the border. Their layout is asserted here, in the C tests, in C++ and in C#.
#![allow(non_camel_case_types, reason = "the names C programmers see")]

use core::ffi::{c_char, c_void};
use core::mem::{offset_of, size_of};

/// The version of the ABI that this header describes.
pub const RB_ABI: u32 = 1;

/// What a call answers. Any value not named below is an error of unknown kind.
pub type rb_status_t = i32;

/// The call succeeded and wrote its result.
pub const RB_OK: i32 = 0;
/// The callee raised an error or an exception; its text is in the `rb_error_t`.
pub const RB_ERROR: i32 = 1;
/// The callee is Rust and panicked; the panic's text is in the `rb_error_t`.
pub const RB_PANIC: i32 = 2;
/// The work was cancelled before it had a result.
pub const RB_CANCELLED: i32 = 3;
/// The struct is null or of a wrong size or version, or an argument cannot be.
pub const RB_INVALID: i32 = 4;
/// A bounded queue was full or closed.
pub const RB_REJECTED: i32 = 5;

/// The text of an error, as an out-parameter.
///
/// The caller sets at least `text` to null (`rb_error_t error = {0};`); the callee may fill all of it;
/// the caller then gives the text back with `rb_error_clear`. While `text` is null, nobody looks at
/// the other fields.
#[repr(C)]
#[derive(Debug)]
pub struct rb_error_t {
    /// UTF-8, `length` bytes, not necessarily ended by a zero. Null: there is no text.
    pub text: *const c_char,
    /// Bytes of `text`.
    pub length: usize,
    /// Passed to `release`.
    pub owner: *mut c_void,
    /// Frees the text: called once, by whoever received the error, on any thread. Null: the text is
    /// static.
    pub release: Option<unsafe extern "C" fn(owner: *mut c_void)>,
}

/// A callback: what to call, with what, and how to keep it.
///
/// By value it is **one reference**: who passes it gives the reference away, also when the callee
/// fails; who receives it releases it exactly once. A `const rb_callback_t *` lends it for the
/// duration of the call. Named callback types (`RB_CALLBACK_TYPE`) differ only in the type of
/// `call`, and a pointer to one may be cast to a pointer to this.
///
/// Threads: all three functions may be called from any thread, by many at once, and from inside
/// each other. None may throw, unwind or `longjmp` out.
#[repr(C)]
#[derive(Debug)]
pub struct rb_callback_t {
    /// `sizeof(rb_callback_t)`.
    pub size: u32,
    /// `RB_ABI`.
    pub abi: u32,
    /// Really `rb_status_t (*)(void *context, ARGS.., R *out, rb_error_t *error)`; where R is void
    /// there is no `out`. Never null.
    ///
    /// Answers `RB_OK` and has written `*out`, or another status, leaves `*out` as it was and may
    /// fill `*error`. `error` may be null, `out` may not. Who calls holds a reference meanwhile.
    pub call: Option<unsafe extern "C" fn()>,
    /// Belongs to the maker of the callback.
    pub context: *mut c_void,
    /// Adds a reference. Null: the one reference cannot be copied, or, where `release` is null too,
    /// the callback is static and lives for ever.
    pub retain: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Takes a reference away. Null only where `retain` is null too.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

/// The work that a call of an asynchronous callback has started. Filled by the callee if it answers
/// `RB_OK`.
#[repr(C)]
#[derive(Debug)]
pub struct rb_task_t {
    /// Passed to the two functions.
    pub context: *mut c_void,
    /// Asks the work to end early: any thread, any number of times. The outcome still arrives
    /// through the completion callback, usually as `RB_CANCELLED`. Null: it cannot be cancelled.
    pub cancel: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Lets go of the task, not of the work: exactly once, by who received it. Null: nothing to do.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

/// A reference that counts copies of something else, such as of a function pointer without a context.
///
/// By value it is one reference; each copy of it is retained and released. The last release tells the
/// maker that no copy is left, and does nothing else: it may happen inside any lock.
#[repr(C)]
#[derive(Debug)]
pub struct rb_token_t {
    /// Passed to the two functions.
    pub context: *mut c_void,
    /// Adds a reference, on any thread. Null: the one reference cannot be copied.
    pub retain: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Takes a reference away, on any thread. Null: there is nothing to count.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

const _: () = {
    const WORD: usize = size_of::<usize>();
    assert!(size_of::<rb_callback_t>() == 8 + 4 * WORD);
    assert!(offset_of!(rb_callback_t, size) == 0 && offset_of!(rb_callback_t, abi) == 4);
    assert!(offset_of!(rb_callback_t, call) == 8 && offset_of!(rb_callback_t, context) == 8 + WORD);
    assert!(offset_of!(rb_callback_t, retain) == 8 + 2 * WORD);
    assert!(offset_of!(rb_callback_t, release) == 8 + 3 * WORD);
    assert!(size_of::<rb_error_t>() == 4 * WORD && offset_of!(rb_error_t, text) == 0);
    assert!(offset_of!(rb_error_t, length) == WORD && offset_of!(rb_error_t, owner) == 2 * WORD);
    assert!(offset_of!(rb_error_t, release) == 3 * WORD);
    assert!(size_of::<rb_task_t>() == 3 * WORD && offset_of!(rb_task_t, context) == 0);
    assert!(offset_of!(rb_task_t, cancel) == WORD && offset_of!(rb_task_t, release) == 2 * WORD);
    assert!(size_of::<rb_token_t>() == 3 * WORD && offset_of!(rb_token_t, context) == 0);
    assert!(offset_of!(rb_token_t, retain) == WORD && offset_of!(rb_token_t, release) == 2 * WORD);
};
