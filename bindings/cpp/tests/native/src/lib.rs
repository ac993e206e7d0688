//! What the C and C++ tests call: a Rust library that keeps foreign callbacks and gives closures.
//!
//! `native.h` is made from this crate by cbindgen, after macro expansion, as any user's header would
//! be; `bindings/exports` checks that it has not drifted.

pub mod closures;
pub mod keep;
pub mod pool;
pub mod tasks;

pub use ringback_c::*;

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
    Green = 7,
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
