//! Foreign code calls into Rust: the way of a call, file by file.
//!
//! ```text
//! foreign thread | thunk -> dispatch -> slot -> listener
//!                            |  thread, record: "this thread is inside"
//! Rust thread    | pool -> registration -> barrier -> sweep of the slot -> wait
//! ```

#[cfg(not(ringback_loom))]
pub(crate) mod asynchronous;
#[cfg(not(ringback_loom))]
pub(crate) mod barrier;
#[cfg(not(ringback_loom))]
pub(crate) mod core;
#[cfg(not(ringback_loom))]
mod declare;
#[cfg(not(ringback_loom))]
pub(crate) mod describe;
#[cfg(not(ringback_loom))]
pub(crate) mod dispatch;
pub(crate) mod free;
#[cfg(not(ringback_loom))]
pub(crate) mod listener;
pub(crate) mod mailbox;
#[cfg(not(ringback_loom))]
pub(crate) mod pointer;
#[cfg(not(ringback_loom))]
pub(crate) mod pool;
#[cfg(not(ringback_loom))]
pub(crate) mod process;
pub(crate) mod record;
#[cfg(not(ringback_loom))]
pub(crate) mod registration;
#[cfg(not(ringback_loom))]
pub(crate) mod report;
#[cfg(not(ringback_loom))]
pub(crate) mod retired;
#[cfg(not(ringback_loom))]
pub(crate) mod scope;
#[cfg(not(ringback_loom))]
pub(crate) mod signature;
pub(crate) mod slot;
#[cfg(not(ringback_loom))]
pub(crate) mod thread;
#[cfg(not(ringback_loom))]
pub(crate) mod thunk;
#[cfg(not(ringback_loom))]
pub(crate) mod tracked;
#[cfg(not(ringback_loom))]
pub(crate) mod wait;
pub(crate) mod waiter;

#[cfg(all(ringback_loom, test))]
mod model;
