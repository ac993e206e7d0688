// SPDX-License-Identifier: MIT OR Apache-2.0

//! `#[hook]` and `hook!`, beside the plain `async fn` as the oracle. `tests/macro_consumer.rs` runs
//! these in the edition 2021 as well.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::multiple_bound_locations,
    clippy::needless_lifetimes,
    clippy::never_loop,
    clippy::unnecessary_to_owned,
    clippy::unnecessary_owned_empty_strings,
    reason = "the cases are of every form that compiles"
)]

mod arguments;
mod closures;
mod drops;
mod generics;
mod hygiene;
mod listeners;
mod methods;
mod options;
mod patterns;
mod results;
mod slots;
mod stack;
mod stored;
mod support;
