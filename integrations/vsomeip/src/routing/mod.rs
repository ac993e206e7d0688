// SPDX-License-Identifier: MIT OR Apache-2.0

//! From a received message to the listeners that want it.
//!
//! vsomeip has one handler of this transport, for every message. Which listeners want a message is
//! decided here, at the moment of dispatch: so an exact filter never hides a wildcard, and a
//! listener that is gone is gone at once, whatever vsomeip still has queued.

mod filter;
mod lanes;
mod listener;
mod table;

pub use self::listener::Overflow;
pub(crate) use self::{
    filter::{Filter, Kind, Pattern},
    lanes::Lanes,
    listener::Entry,
    table::{Limits, Registered, Table},
};
