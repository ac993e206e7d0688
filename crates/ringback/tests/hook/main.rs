//! `#[hook]` and `hook!`, beside the plain `async fn` as the oracle. Built in editions 2021 (as the
//! test `hook_2021`) and 2024.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

mod drops;
mod generics;
mod methods;
mod results;
mod stored;
mod support;
