// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async listeners: a bounded, ordered mailbox between the foreign thread and the executor.
//!
//! ```text
//! foreign thread | thunk -> dispatch -> Inlet: take, push --> [ring] --> Inbox -> Deliver | executor
//! ```
//!
//! # State
//! [`Shared`] stands between one [`Inlet`](inlet::Inlet) (the listener in the slot) and one
//! [`Inbox`](inbox::Inbox) (the consumer's end). Each sets its bit in `gone` when it is dropped. The
//! inlet is dropped by the pool when its slot is quiet: so once `PRODUCERS` is set, no push is under
//! way and none will come. Whoever is the second to go discards what is left.
//!
//! # Ordering
//! *Push against park*: the producer publishes the message, then a fence, then reads `parked`; the
//! consumer sets `parked`, then a fence, then looks at the queue once more. So one of them sees the
//! other. (Where the mailbox coalesces, the queue's lock does what the fences do.)
//! *Pop against a blocked producer*: the same between `blocked` and the queue.

#[cfg(not(ringback_loom))]
mod config;
#[cfg(not(ringback_loom))]
pub(crate) mod deliver;
#[cfg(not(ringback_loom))]
mod direct;
#[cfg(not(ringback_loom))]
mod guard;
pub(crate) mod inbox;
#[cfg(not(ringback_loom))]
pub(crate) mod inlet;
mod keyed;
#[cfg(all(ringback_loom, test))]
mod model;
mod ring;
pub(crate) mod shared;
#[cfg(not(ringback_loom))]
mod stats;
#[cfg(all(feature = "histogram", not(ringback_loom)))]
mod wait_times;

#[cfg(all(feature = "histogram", not(ringback_loom)))]
pub use self::wait_times::WaitTimes;
#[cfg(not(ringback_loom))]
pub use self::{
    config::{Mailbox, OverflowPolicy, Take},
    deliver::Batch,
    direct::Feed,
    guard::{AsyncRegistration, Drain, Drained, NotDrained, StallWatch, Stalled},
    inbox::Messages,
    stats::Counts,
};
#[cfg(not(ringback_loom))]
pub(crate) use inlet::inlet;
