// SPDX-License-Identifier: MIT OR Apache-2.0

//! Callbacks that Rust keeps, calls and lets go.

use crate::{Colour, OnDoor, OnEvery, OnValue, Point, answer};
use core::ffi::c_char;
use ringback::abi::{RbCallback, RbError, Status};
use ringback::{Callback, ForeignError};
use std::sync::Mutex;
use std::thread;

/// A foreign callback that Rust holds.
pub struct Kept(Callback<OnValue>);

/// Adopts a callback. Null, and a text, if it is malformed.
///
/// # Safety
/// `error` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_keep(callback: OnValue, error: *mut RbError) -> *mut Kept {
    match callback.adopt() {
        Ok(callback) => Box::into_raw(Box::new(Kept(callback))),
        Err(refused) => {
            let failure = ForeignError::with_status(Status::INVALID, &refused);
            // SAFETY: the caller's promise.
            unsafe { failure.send(error) };
            core::ptr::null_mut()
        }
    }
}

/// Another clone of a kept callback.
///
/// # Safety
/// `kept` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_clone(kept: *const Kept) -> *mut Kept {
    // SAFETY: the caller's promise.
    let kept = unsafe { &*kept };
    Box::into_raw(Box::new(Kept(kept.0.clone())))
}

/// Drops a kept callback, on this thread.
///
/// # Safety
/// `kept` came from this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_drop(kept: *mut Kept) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(kept) });
}

/// Drops a kept callback on another thread, and waits for that.
///
/// # Safety
/// As `native_drop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_drop_elsewhere(kept: *mut Kept) {
    // SAFETY: the caller's promise.
    let kept = unsafe { Box::from_raw(kept) };
    thread::spawn(move || drop(kept)).join().expect("release does not unwind");
}

/// Calls a kept callback, and hands its error on.
///
/// # Safety
/// `kept` is alive, `out` may be written, `error` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call(
    kept: *const Kept,
    value: i64,
    out: *mut i64,
    error: *mut RbError,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { answer((*kept).0.call(value), out, error) }
}

/// Calls without room for an error.
///
/// # Safety
/// `callback` is well-formed, as plain data; it is dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_without_error(callback: RbCallback, value: i64) -> i32 {
    type Call = unsafe extern "C" fn(*mut core::ffi::c_void, i64, *mut i64, *mut RbError) -> i32;
    let mut out = 0;
    // SAFETY: an `OnValue`, by the caller's promise; the ABI lets `error` be null.
    unsafe {
        let call = std::mem::transmute::<unsafe extern "C" fn(), Call>(callback.call.expect("set"));
        let status = call(callback.context, value, &raw mut out, core::ptr::null_mut());
        callback.release();
        status
    }
}

/// Clones, calls and drops on several Rust threads at once, each thread one callback after the other,
/// `calls` times. The sum of all answers; -1 if one failed.
///
/// # Safety
/// `kept` points at `count` pointers, all of them alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_storm(
    kept: *const *const Kept,
    count: usize,
    threads: usize,
    calls: i64,
) -> i64 {
    // SAFETY: the caller's promise.
    let kept = unsafe { std::slice::from_raw_parts(kept, count) };
    // SAFETY: the caller's promise.
    let callbacks: Vec<_> = kept.iter().map(|&one| unsafe { &(*one).0 }).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let calls = (0..calls).zip(callbacks.iter().cycle());
                    let answers = calls.map(|(value, &callback)| callback.clone().call(value));
                    answers.sum::<Result<i64, ForeignError>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"))
            .sum::<Result<i64, ForeignError>>()
            .unwrap_or(-1)
    })
}

/// One more reference, as a struct.
///
/// # Safety
/// `kept` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_give_back(kept: *const Kept) -> OnValue {
    // SAFETY: the caller's promise.
    unsafe { &*kept }.0.to_foreign()
}

pub(crate) static SHELF: Mutex<Option<Callback<OnValue>>> = Mutex::new(None);

/// Keeps a callback in a static, in the place of the former one.
#[unsafe(no_mangle)]
pub extern "C" fn native_shelve(callback: OnValue) {
    let callback = callback.adopt().expect("well-formed");
    // Dropped after unlocking: the release is foreign code.
    let former = SHELF.lock().expect("not poisoned").replace(callback);
    drop(former);
}

/// Empties the static.
#[unsafe(no_mangle)]
pub extern "C" fn native_clear_shelf() {
    let former = SHELF.lock().expect("not poisoned").take();
    drop(former);
}

/// Calls what is in the static; the call holds a clone. `RB_INVALID` if it is empty.
///
/// # Safety
/// `out` may be written, `error` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_shelved(
    value: i64,
    out: *mut i64,
    error: *mut RbError,
) -> i32 {
    let Some(callback) = SHELF.lock().expect("not poisoned").clone() else {
        return Status::INVALID.0;
    };
    // SAFETY: the caller's promise.
    unsafe { answer(callback.call(value), out, error) }
}

/// Calls with a bool and drops. -1 if the call failed.
#[unsafe(no_mangle)]
pub extern "C" fn native_ask_door(callback: OnDoor, open: bool) -> i32 {
    let callback = callback.adopt().expect("well-formed");
    callback.call(open).map_or(-1, i32::from)
}

extern "C" fn triple(value: i32) -> i32 {
    value * 3
}

/// Calls with one argument of every kind and drops. A point of minus ones if the call failed.
///
/// # Safety
/// `text` is what the callback expects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_every(callback: OnEvery, text: *const c_char) -> Point {
    let callback = callback.adopt().expect("well-formed");
    let point = Point { x: 0.5, y: -8 };
    callback
        .call(
            i8::MIN,
            u8::MAX,
            i16::MIN,
            u16::MAX,
            i32::MIN,
            u32::MAX,
            i64::MIN,
            u64::MAX,
            usize::MAX,
            1.5,
            -2.5,
            true,
            text,
            Colour::Green,
            point,
            Some(triple),
        )
        .unwrap_or(Point { x: -1.0, y: -1 })
}
