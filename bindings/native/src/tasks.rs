// SPDX-License-Identifier: MIT OR Apache-2.0

//! Asynchronous callbacks, both ways.

use crate::{Fetch, Flush, answer};
use futures_executor::block_on;
use ringback::abi::{RbError, Status};
use ringback::{BoxedTask, ForeignError};
use std::future::pending;
use std::thread;

/// A Rust task for each call, on a thread of its own: `id` times `scale`. Fails for id 0, panics for
/// id 1, and never ends by itself for id 2.
#[unsafe(no_mangle)]
pub extern "C" fn native_fetch() -> Fetch {
    let spawn = |task: BoxedTask| {
        thread::spawn(move || block_on(task));
    };
    Fetch::fallible(spawn, |id, scale| async move {
        match id {
            0 => Err(ForeignError::new("there is no 0")),
            1 => panic!("never ask for 1"),
            2 => pending().await,
            _ => Ok(f64::from(id) * scale),
        }
    })
}

/// A Rust task that runs at once, on the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn native_flush() -> Flush {
    Flush::new(block_on::<BoxedTask>, || async {})
}

/// Starts a foreign task and waits for its outcome.
///
/// # Safety
/// `out` may be written, `error` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_await_fetch(
    fetch: Fetch,
    id: u32,
    scale: f64,
    out: *mut f64,
    error: *mut RbError,
) -> i32 {
    let fetch = fetch.adopt().expect("well-formed");
    // SAFETY: the caller's promise.
    unsafe { answer(block_on(fetch.call(id, scale)), out, error) }
}

/// Starts a foreign task and drops its future at once.
#[unsafe(no_mangle)]
pub extern "C" fn native_abandon_fetch(fetch: Fetch, id: u32) {
    let fetch = fetch.adopt().expect("well-formed");
    drop(fetch.call(id, 1.0));
}

/// Waits for a foreign task without a result. The status.
#[unsafe(no_mangle)]
pub extern "C" fn native_await_flush(flush: Flush) -> i32 {
    let flush = flush.adopt().expect("well-formed");
    block_on(flush.call()).map_or_else(|failure| failure.status().0, |()| Status::OK.0)
}
