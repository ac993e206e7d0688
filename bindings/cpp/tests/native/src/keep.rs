//! Callbacks that Rust keeps, calls and lets go.

use crate::{Colour, OnDoor, OnEvery, OnValue, Point};
use core::ffi::c_char;
use ringback::abi::{RbError, Status};
use ringback::{Callback, ForeignError};
use std::sync::Mutex;
use std::thread;

/// A foreign callback that Rust holds.
pub struct Kept(Callback<OnValue>);

/// Puts the text of a failure into `*error`, as a Rust closure's would be.
///
/// # Safety
/// `error` is null or initialised.
pub(crate) unsafe fn report(failure: ForeignError, error: *mut RbError) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { failure.send(error) }
}

/// Adopts a callback. Null, and a text, if it is malformed.
///
/// # Safety
/// `error` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_keep(callback: OnValue, error: *mut RbError) -> *mut Kept {
    match callback.adopt() {
        Ok(callback) => Box::into_raw(Box::new(Kept(callback))),
        Err(refused) => {
            // SAFETY: the caller's promise.
            unsafe { report(ForeignError::with_status(Status::INVALID, &refused), error) };
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
    let kept = unsafe { &*kept };
    match kept.0.call(value) {
        Ok(answer) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(answer) };
            Status::OK.0
        }
        // SAFETY: the caller's promise.
        Err(failure) => unsafe { report(failure, error) },
    }
}

/// Clones, calls and drops a kept callback on several Rust threads at once. The sum of all answers.
///
/// # Safety
/// `kept` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_storm(kept: *const Kept, threads: usize, calls: i64) -> i64 {
    // SAFETY: the caller's promise.
    let callback = unsafe { &*kept }.0.clone();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let callback = callback.clone();
            thread::spawn(move || {
                (0..calls).map(|value| callback.clone().call(value).expect("answers")).sum::<i64>()
            })
        })
        .collect();
    workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
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

static SHELF: Mutex<Option<Callback<OnValue>>> = Mutex::new(None);

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
    let kept = Kept(callback);
    // SAFETY: the caller's promise.
    unsafe { native_call(&raw const kept, value, out, error) }
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
