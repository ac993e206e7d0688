//! Callbacks that Rust keeps, calls from its threads and lets go.

use crate::answer;
use crate::kinds::{OnEnd, OnI64};
use ringback::Callback;
use ringback::ForeignError;
use ringback::abi::{RbCallback, RbError, Status};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// A foreign callback that Rust holds.
pub struct Kept(Callback<OnI64>);

/// Adopts a callback. Null, and a text, if it is malformed; it is dropped then.
///
/// # Safety
/// `error` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_keep(callback: OnI64, error: *mut RbError) -> *mut Kept {
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

/// Another clone.
///
/// # Safety
/// `kept` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_clone(kept: *const Kept) -> *mut Kept {
    // SAFETY: the caller's promise.
    let kept = unsafe { &*kept };
    Box::into_raw(Box::new(Kept(kept.0.clone())))
}

/// Drops, on this thread.
///
/// # Safety
/// `kept` is alive, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_drop(kept: *mut Kept) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(kept) });
}

/// Drops on a Rust thread, and waits for that.
///
/// # Safety
/// As `native_drop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_drop_elsewhere(kept: *mut Kept) {
    // SAFETY: the caller's promise.
    let kept = unsafe { Box::from_raw(kept) };
    thread::spawn(move || drop(kept)).join().expect("release does not unwind");
}

/// Calls on this thread.
///
/// # Safety
/// `kept` is alive; `out` and `error` may be written.
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
    // SAFETY: an `OnI64`, by the caller's promise; the ABI lets `error` be null.
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
pub unsafe extern "C" fn native_give_back(kept: *const Kept) -> OnI64 {
    // SAFETY: the caller's promise.
    unsafe { &*kept }.0.to_foreign()
}

static SHELF: Mutex<Option<Callback<OnI64>>> = Mutex::new(None);

/// Keeps a callback in a static, in the place of the former one.
#[unsafe(no_mangle)]
pub extern "C" fn native_shelve(callback: OnI64) {
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

/// Calls what is in the static, by a clone.
///
/// # Safety
/// `out` and `error` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_shelved(
    value: i64,
    out: *mut i64,
    error: *mut RbError,
) -> i32 {
    let callback = SHELF.lock().expect("not poisoned").clone().expect("on the shelf");
    // SAFETY: the caller's promise.
    unsafe { answer(callback.call(value), out, error) }
}

extern "C" fn release_at_exit() {
    native_clear_shelf();
    println!("released after the end");
}

/// When the process exits, or this library is unloaded, after the runtime has ended: drops what is on
/// the shelf.
#[unsafe(no_mangle)]
pub extern "C" fn native_release_at_exit() {
    // SAFETY: the function does not unwind.
    unsafe { libc::atexit(release_at_exit) };
}

/// Clones and drops what is on the shelf, for ever, on a thread of its own.
#[unsafe(no_mangle)]
pub extern "C" fn native_count_for_ever() {
    thread::spawn(|| {
        loop {
            let clone = SHELF.lock().expect("not poisoned").as_ref().map(Callback::to_foreign);
            drop(clone);
        }
    });
}

/// Makes a thread that calls and drops, a moment later.
#[unsafe(no_mangle)]
pub extern "C" fn native_call_later(callback: OnEnd, milliseconds: u64) {
    let callback = callback.adopt().expect("well-formed");
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = callback.call();
    });
}
