//! Runs the examples as a user does.

mod common;
mod order;
mod qsort;
mod tree;
mod vehicle_bus;
