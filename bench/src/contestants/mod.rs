// SPDX-License-Identifier: MIT OR Apache-2.0

//! The ways to call a Rust closure from C that are compared: one file each, all with the same
//! listener, which multiplies its argument by a captured number.
//!
//! Compiled twice: into the binary, and into the shared library that the binary opens.

#![allow(dead_code, reason = "the shared library uses two of them")]

pub mod closure_ffi;
pub mod counted;
pub mod libffi;
pub mod mutex_map;
pub mod pooled;
pub mod raw;

use std::ffi::c_void;

/// A C function without user data.
pub type Plain = unsafe extern "C" fn(u64) -> u64;
/// A C function with user data.
pub type WithData = unsafe extern "C" fn(*mut c_void, u64) -> u64;

/// What the C side is given.
#[derive(Clone, Copy)]
pub enum Entry {
    /// A bare function.
    Plain(Plain),
    /// A function and what it is called with.
    WithData(WithData, *mut c_void),
}

// SAFETY: every contestant's listener is `Send + Sync`, and so is what it keeps for its calls.
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

/// A listener made callable from C: `entry` may be called as long as this lives.
pub struct Contestant {
    pub name: &'static str,
    pub entry: Entry,
    _keeps: Box<dyn std::any::Any>,
}

impl Contestant {
    fn new(name: &'static str, entry: Entry, keeps: impl std::any::Any) -> Self {
        Contestant { name, entry, _keeps: Box::new(keeps) }
    }
}

/// The listener of every contestant.
pub fn listener(factor: u64) -> impl Fn(u64) -> u64 + Send + Sync + Copy + 'static {
    move |argument| argument.wrapping_mul(factor)
}
