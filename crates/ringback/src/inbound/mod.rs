//! Foreign code calls into Rust: the way of a call, file by file.
//!
//! ```text
//! foreign thread | thunk -> dispatch -> slot -> listener
//!                            |  thread, record: "this thread is inside"
//! Rust thread    | pool -> registration -> barrier -> sweep of the slot -> wait
//! ```

#[cfg(not(loom))]
pub(crate) mod asynchronous;
#[cfg(not(loom))]
pub(crate) mod barrier;
#[cfg(not(loom))]
pub(crate) mod core;
#[cfg(not(loom))]
mod declare;
#[cfg(not(loom))]
pub(crate) mod dispatch;
pub(crate) mod free;
#[cfg(not(loom))]
pub(crate) mod listener;
pub(crate) mod mailbox;
#[cfg(not(loom))]
pub(crate) mod pointer;
#[cfg(not(loom))]
pub(crate) mod pool;
pub(crate) mod record;
#[cfg(not(loom))]
pub(crate) mod registration;
#[cfg(not(loom))]
pub(crate) mod report;
#[cfg(not(loom))]
pub(crate) mod retired;
#[cfg(not(loom))]
pub(crate) mod scope;
#[cfg(not(loom))]
pub(crate) mod signature;
pub(crate) mod slot;
#[cfg(not(loom))]
pub(crate) mod thread;
#[cfg(not(loom))]
pub(crate) mod thunk;
#[cfg(not(loom))]
pub(crate) mod wait;
pub(crate) mod waiter;

#[cfg(all(loom, test))]
mod model;
