// SPDX-License-Identifier: MIT OR Apache-2.0

//! The table "Process life" of SAFETY.md, row by row. What ends, forks or bends a process runs in a
//! process of its own.
#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![cfg(all(unix, target_os = "linux"))]

mod exit;
mod fork;
mod fork_async;
mod own_process;
mod protection;
mod signals;
mod teardown;
mod unload;
mod vanish;

use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};

pub type Function = extern "C" fn(i32) -> i32;

/// Polls until the future is ready: the least of executors.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        std::thread::yield_now();
    }
}

// Cargo gives what `build.rs` builds to the package's library only; the tests ask for themselves.
#[link(name = "life", kind = "static")]
#[link(name = "stdc++")]
unsafe extern "C" {
    fn life_thread_local_destructors(function: Function) -> i32;
    fn life_start_callers(function: Function, threads: i32, calls: &'static AtomicU64);
    fn life_call_at_exit(function: Function);
    fn life_call_and_catch_jump(function: Function) -> i32;
    fn life_jump_out();
}
