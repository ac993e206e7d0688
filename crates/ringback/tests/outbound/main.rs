// SPDX-License-Identifier: MIT OR Apache-2.0

//! Callbacks with user data, both ways, against a foreign side written by hand in the ABI's terms.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "the blocks play the foreign side, and keep the rules of `ringback::abi`"
)]

mod adopted;
#[path = "../common/mod.rs"]
mod common;
mod foreign;
mod made;
mod tasks;
mod user_data;
