//! Runs the examples as a user does.

mod common;
mod qsort;
mod tree;
mod vehicle_bus;
