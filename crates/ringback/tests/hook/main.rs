//! `#[hook]` and `hook!`, beside the plain `async fn` as the oracle. Built in editions 2021 (as the
//! test `hook_2021`) and 2024.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

mod arguments;
mod closures;
mod drops;
mod generics;
mod hygiene;
mod listeners;
mod methods;
mod options;
mod results;
mod slots;
mod stack;
mod stored;
mod support;
