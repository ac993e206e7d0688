// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the caller of an asynchronous callback holds.

use crate::rb_task_t;
use core::ptr;

/// Asks the work behind a task to end early. The outcome still arrives through the completion
/// callback.
///
/// Owner: `task` is lent. Thread: any, any number of times. Errors: none; null, empty, and a task
/// that cannot be cancelled are ignored.
///
/// # Safety
/// `task` is null or points to an initialised `rb_task_t` that is not released during this call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_task_cancel(task: *const rb_task_t) {
    // SAFETY: the caller passes null or a readable struct.
    let Some(task) = (unsafe { task.as_ref() }) else { return };
    if let Some(cancel) = task.cancel {
        // SAFETY: `cancel` and `context` came together, and the task is not released yet.
        unsafe { cancel(task.context) };
    }
}

/// Lets go of a task and sets the struct to all zero. The work goes on.
///
/// Owner: the task is gone afterwards. Thread: any. Errors: none; null and empty are ignored.
///
/// # Safety
/// `task` is null or points to an initialised `rb_task_t` of the caller's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rb_task_release(task: *mut rb_task_t) {
    const EMPTY: rb_task_t = rb_task_t { context: ptr::null_mut(), cancel: None, release: None };
    if task.is_null() {
        return;
    }
    // SAFETY: not null, so initialised and the caller's.
    let held = unsafe { ptr::replace(task, EMPTY) };
    if let Some(release) = held.release {
        // SAFETY: `release` and `context` came together, and the struct is empty now.
        unsafe { release(held.context) };
    }
}
