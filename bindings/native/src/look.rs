// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async callbacks of other results, both ways, as the C# tests use them: a thread for each task.

use crate::closures::Counted;
use core::ffi::{c_char, c_void};
use futures_executor::block_on;
use ringback::abi::{RbError, Status};
use ringback::{BoxedTask, ForeignError, ForeignFuture};
use std::future::pending;
use std::thread;
use std::time::Duration;

ringback::callback_type! {
    /// Lookes a number by its id.
    pub struct Look: async fn(id: u32) -> i64
}

ringback::callback_type! {
    /// Waits for something.
    pub struct Wait: async fn()
}

ringback::callback_type! {
    /// Asks something.
    pub struct Ask: async fn(yes: bool) -> bool
}

ringback::callback_type! {
    /// What became of a task: its status, its value and the text of its error.
    pub struct Tell: fn(status: i32, value: i64, text: *const c_char, length: usize)
}

fn on_a_thread(task: BoxedTask) {
    thread::spawn(|| block_on(task));
}

/// When the calling side asks the C# task to end.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelWhen {
    /// Not at all.
    Never = 0,
    /// Before the outcome is waited for; the outcome is told.
    AtOnce = 1,
    /// By dropping the future; nothing is told but this status: cancelled.
    ByDrop = 2,
}

fn follow<R: Send + 'static>(
    future: ForeignFuture<R>,
    cancel: CancelWhen,
    tell: Tell,
    number: fn(R) -> i64,
) {
    let tell = tell.adopt().expect("well-formed");
    thread::spawn(move || {
        let outcome = match cancel {
            CancelWhen::Never => block_on(future),
            CancelWhen::AtOnce => {
                future.cancel();
                future.cancel();
                block_on(future)
            }
            CancelWhen::ByDrop => {
                drop(future);
                Err(ForeignError::with_status(Status::CANCELLED, "dropped"))
            }
        };
        let _ = match outcome {
            Ok(value) => tell.call(0, number(value), core::ptr::null(), 0),
            Err(error) => {
                tell.call(error.status().0, 0, error.text().as_ptr().cast(), error.text().len())
            }
        };
    });
}

/// Calls a C# async callback, and tells its outcome from another thread.
#[unsafe(no_mangle)]
pub extern "C" fn native_follow_look(look: Look, id: u32, cancel: CancelWhen, tell: Tell) {
    follow(look.adopt().expect("well-formed").call(id), cancel, tell, |value| value);
}

/// As `native_follow_look`.
#[unsafe(no_mangle)]
pub extern "C" fn native_follow_wait(wait: Wait, cancel: CancelWhen, tell: Tell) {
    follow(wait.adopt().expect("well-formed").call(), cancel, tell, |()| -5);
}

/// As `native_follow_look`.
#[unsafe(no_mangle)]
pub extern "C" fn native_follow_ask(ask: Ask, yes: bool, cancel: CancelWhen, tell: Tell) {
    follow(ask.adopt().expect("well-formed").call(yes), cancel, tell, i64::from);
}

/// Waits a little, then fetches: ids below 100 answer 10 times the id, 100 an error, 101 panics, 102
/// waits for ever.
#[unsafe(no_mangle)]
pub extern "C" fn native_look(milliseconds: u64) -> Look {
    Look::fallible(on_a_thread, move |id| async move {
        let counted = Counted;
        thread::sleep(Duration::from_millis(milliseconds));
        let outcome = match id {
            100 => Err(ForeignError::new("no such id: 100")),
            101 => panic!("id 101 panics"),
            102 => pending().await,
            _ => Ok(i64::from(id) * 10),
        };
        drop(counted);
        outcome
    })
}

/// As `native_look`, complete before the call returns.
#[unsafe(no_mangle)]
pub extern "C" fn native_look_at_once() -> Look {
    Look::new(block_on, |id| async move { i64::from(id) * 10 })
}

/// Cancels its tasks itself, before the call returns.
#[unsafe(no_mangle)]
pub extern "C" fn native_look_cancelled() -> Look {
    Look::fallible(block_on, |_| async {
        Err(ForeignError::with_status(Status::CANCELLED, "by itself"))
    })
}

/// Starts tasks and drops them without an end.
#[unsafe(no_mangle)]
pub extern "C" fn native_look_dropped() -> Look {
    Look::new(drop, |_| async { 0 })
}

/// Starts no task: its closure panics.
#[unsafe(no_mangle)]
pub extern "C" fn native_look_refused() -> Look {
    #[allow(unreachable_code)] // the type of the future that is never made
    Look::new(on_a_thread, |id| {
        assert!(id == u32::MAX, "not started");
        async { 0 }
    })
}

/// Waits a little.
#[unsafe(no_mangle)]
pub extern "C" fn native_wait(milliseconds: u64) -> Wait {
    Wait::new(on_a_thread, move || async move {
        thread::sleep(Duration::from_millis(milliseconds));
    })
}

/// Answers not.
#[unsafe(no_mangle)]
pub extern "C" fn native_ask() -> Ask {
    Ask::new(on_a_thread, |yes| async move { !yes })
}

/// A completion that breaks the rules: called twice; with no value; released uncalled.
///
/// # Safety
/// `done` is the completion of an `async fn() -> i64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_complete_badly(done: LookDone, error: *mut RbError) -> i32 {
    let done = done.adopt().expect("well-formed");
    let value = 3;
    if done.call(Status::OK.0, core::ptr::null(), core::ptr::null()).is_ok() {
        return -1;
    }
    if done.call(Status::OK.0, &raw const value, core::ptr::null()).is_err() {
        return -2;
    }
    match done.call(Status::OK.0, &raw const value, core::ptr::null()) {
        Ok(()) => -3,
        // SAFETY: the caller's promise.
        Err(second) => unsafe { second.send(error) },
    }
}

/// Calls a C# async callback with a completion that is not one. The status of the call.
///
/// # Safety
/// `look` is well-formed, as plain data; it is dropped. `error` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_without_done(look: Look, error: *mut RbError) -> i32 {
    use ringback::abi::{RbCallback, RbTask};
    type Call =
        unsafe extern "C" fn(*mut c_void, u32, RbCallback, *mut RbTask, *mut RbError) -> i32;
    let look = look.into_raw();
    let none = RbCallback {
        size: RbCallback::SIZE,
        abi: ringback::abi::VERSION,
        call: None,
        context: core::ptr::null_mut(),
        retain: None,
        release: None,
    };
    let marker: *mut c_void = core::ptr::dangling_mut::<u8>().cast();
    let mut task = RbTask { context: marker, ..RbTask::NONE };
    // SAFETY: a `Look` by the caller's promise, and the struct that it takes.
    let status = unsafe {
        let call = std::mem::transmute::<unsafe extern "C" fn(), Call>(look.call.expect("set"));
        let status = call(look.context, 1, none, &raw mut task, error);
        look.release();
        status
    };
    if task.context == marker { status } else { -1 }
}
