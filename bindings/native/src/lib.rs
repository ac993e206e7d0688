// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the C, C++ and C# tests call: one Rust library that keeps foreign callbacks and gives closures.
//!
//! `native.h` is made from this crate by cbindgen, after macro expansion, as any user's header would
//! be; `bindings/exports` checks that it has not drifted.

use ringback::ForeignError;
use ringback::abi::{RbError, Status};

pub mod bench;
pub mod closures;
pub mod end;
pub mod keep;
pub mod kinds;
pub mod look;
pub mod pool;
pub mod tasks;

pub use ringback_c::*;

/// Answers a foreign caller that passed `out` and `error`.
///
/// # Safety
/// `out` may be written; `error` is null or initialised.
pub(crate) unsafe fn answer<R>(
    result: Result<R, ForeignError>,
    out: *mut R,
    error: *mut RbError,
) -> i32 {
    match result {
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            Status::OK.0
        }
        // SAFETY: the caller's promise.
        Err(failure) => unsafe { failure.send(error) },
    }
}

/// Two numbers, by value.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Across.
    pub x: f64,
    /// Up.
    pub y: i32,
}

/// An enum with a fixed representation.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Stop.
    Red = 1,
    /// Go.
    Green = 200,
}

ringback::callback_type! {
    /// Given a number, answers one.
    pub struct OnValue: fn(value: i64) -> i64
}

ringback::callback_type! {
    /// Told whether the door is open, answers whether it shall be.
    pub struct OnDoor: fn(open: bool) -> bool
}

ringback::callback_type! {
    /// Something has ended.
    pub struct OnEnd: fn()
}

ringback::callback_type! {
    /// One argument of every kind that crosses.
    #[allow(clippy::too_many_arguments, reason = "one of every kind")]
    pub struct OnEvery: fn(
        i8: i8, u8: u8, i16: i16, u16: u16, i32: i32, u32: u32, i64: i64, u64: u64, size: usize,
        f32: f32, f64: f64, yes: bool, text: *const core::ffi::c_char, colour: Colour, point: Point,
        done: Option<unsafe extern "C" fn(value: i32) -> i32>
    ) -> Point
}

ringback::callback_type! {
    /// Fetches one value.
    pub struct Fetch: async fn(id: u32, scale: f64) -> f64
}

ringback::callback_type! {
    /// Writes what is left.
    pub struct Flush: async fn()
}
