// SPDX-License-Identifier: MIT OR Apache-2.0

//! Runs the examples as a user does.

mod common;
mod order;
mod qsort;
mod tree;
mod vehicle_bus;
