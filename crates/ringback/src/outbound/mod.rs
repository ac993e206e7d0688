// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rust calls foreign functions, and gives its own closures to foreign code that keeps a context.
//!
//! ```text
//! adopted   foreign struct | adopt: checks -> Callback -> call -> C / C++ / C# | last drop: release, once
//! made      Rust closure   | new -> foreign struct -> call -> closure         | last release: dropped
//! user data Rust closure   | (fn, void *) -> slot -> closure                  | destroy, or retire and prove
//! ```
//! Modules in reading order: [`abi`] (what crosses), [`count`] (who may still use it), [`callback`]
//! (foreign functions, adopted), [`made`] and [`queued`] (Rust closures and async listeners, given
//! away), [`task`] (both, async), [`user_data`] and [`places`] (C
//! interfaces that have their own form of context), [`tracked`] (inbound functions whose copies are counted),
//! [`declare`] and [`declare_async`] (what `callback_type!` expands to).

#[cfg(not(ringback_loom))]
pub mod abi;
#[cfg(not(ringback_loom))]
pub(crate) mod callback;
pub(crate) mod count;
#[cfg(not(ringback_loom))]
mod declare;
#[cfg(not(ringback_loom))]
mod declare_async;
#[cfg(not(ringback_loom))]
pub(crate) mod error;
#[cfg(not(ringback_loom))]
pub(crate) mod made;
#[cfg(all(test, ringback_loom))]
mod model;
#[cfg(not(ringback_loom))]
mod places;
#[cfg(not(ringback_loom))]
pub(crate) mod queued;
#[cfg(not(ringback_loom))]
pub(crate) mod task;
#[cfg(not(ringback_loom))]
pub(crate) mod tracked;
#[cfg(not(ringback_loom))]
pub(crate) mod user_data;
