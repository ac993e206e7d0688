// SPDX-License-Identifier: MIT OR Apache-2.0

//! Foreign code calls into Rust: the way of a call, file by file.
//!
//! ```text
//! foreign thread | thunk -> dispatch -> slot -> listener
//!                            |  thread, record: "this thread is inside"
//! Rust thread    | pool -> registration -> barrier -> sweep of the slot -> wait
//! ```
//! A model has the state machine alone. Without `std` there are no threads, barriers and waits; `bare`
//! stands in their place.

#[cfg(all(feature = "std", not(ringback_loom)))]
pub(crate) mod asynchronous;
#[cfg(not(feature = "std"))]
mod bare;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub(crate) mod barrier;
#[cfg(not(ringback_loom))]
pub(crate) mod core;
#[cfg(not(ringback_loom))]
mod declare;
#[cfg(not(ringback_loom))]
mod declare_async;
#[cfg(not(ringback_loom))]
pub(crate) mod describe;
#[cfg(not(ringback_loom))]
pub(crate) mod dispatch;
#[cfg(feature = "std")]
pub(crate) mod free;
#[cfg(not(ringback_loom))]
pub(crate) mod listener;
#[cfg(feature = "std")]
pub(crate) mod mailbox;
#[cfg(not(ringback_loom))]
pub(crate) mod pointer;
#[cfg(not(ringback_loom))]
pub(crate) mod pool;
#[cfg(not(ringback_loom))]
pub(crate) mod process;
#[cfg(feature = "std")]
pub(crate) mod record;
#[cfg(not(ringback_loom))]
pub(crate) mod registration;
#[cfg(not(ringback_loom))]
pub(crate) mod report;
#[cfg(not(ringback_loom))]
pub(crate) mod retired;
#[cfg(not(ringback_loom))]
pub(crate) mod retired_all;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub(crate) mod scope;
#[cfg(not(ringback_loom))]
pub(crate) mod signature;
pub(crate) mod slot;
mod spare;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub(crate) mod thread;
#[cfg(not(ringback_loom))]
pub(crate) mod thunk;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub(crate) mod wait;
pub(crate) mod waiter;

#[cfg(all(ringback_loom, test))]
mod model;

#[cfg(not(feature = "std"))]
pub(crate) use self::bare::{barrier, free, record, thread};
