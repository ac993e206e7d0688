// SPDX-License-Identifier: MIT OR Apache-2.0

//! Every kind of value that crosses, as an argument and as a result.

use crate::{Colour, OnEnd, Point, answer};
use core::ffi::c_void;
use ringback::abi::RbError;

/// A raw pointer that may cross threads, as results must: what it points at is the foreign side's.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Address(*mut c_void);

// SAFETY: only passed on, never followed.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

/// More than two registers.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    words: [u64; 5],
    tail: u8,
}

/// A struct inside a struct, of one register.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    low: Small,
    high: Small,
}

/// Two odd sizes.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Small {
    kind: u8,
    value: u16,
}

/// For each type: a callback type, a function that calls one, and a closure that answers its argument.
macro_rules! kinds {
    ($($name:ident $ty:ty: $call:ident $echo:ident;)*) => {$(
        ringback::callback_type! {
            /// Given a value, answers one.
            pub struct $name: fn(value: $ty) -> $ty
        }

        /// Calls with a value, and drops.
        ///
        /// # Safety
        /// `out` and `error` may be written.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $call(
            callback: $name, value: $ty, out: *mut $ty, error: *mut RbError,
        ) -> i32 {
            let callback = callback.adopt().expect("well-formed");
            // SAFETY: the caller's promise.
            unsafe { answer(callback.call(value), out, error) }
        }

        /// Answers its argument.
        #[unsafe(no_mangle)]
        pub extern "C" fn $echo() -> $name {
            $name::new(|value| value)
        }
    )*};
}

/// A plain C function.
pub type PlainFunction = Option<unsafe extern "C" fn(value: i32) -> i32>;

kinds! {
    OnI8 i8: native_call_i8 native_echo_i8;
    OnU8 u8: native_call_u8 native_echo_u8;
    OnI16 i16: native_call_i16 native_echo_i16;
    OnU16 u16: native_call_u16 native_echo_u16;
    OnI32 i32: native_call_i32 native_echo_i32;
    OnU32 u32: native_call_u32 native_echo_u32;
    OnI64 i64: native_call_i64 native_echo_i64;
    OnU64 u64: native_call_u64 native_echo_u64;
    OnIsize isize: native_call_isize native_echo_isize;
    OnUsize usize: native_call_usize native_echo_usize;
    OnF32 f32: native_call_f32 native_echo_f32;
    OnF64 f64: native_call_f64 native_echo_f64;
    OnBool bool: native_call_bool native_echo_bool;
    OnPointer Address: native_call_pointer native_echo_pointer;
    OnColour Colour: native_call_colour native_echo_colour;
    OnPoint Point: native_call_point native_echo_point;
    OnBlock Block: native_call_block native_echo_block;
    OnPair Pair: native_call_pair native_echo_pair;
    OnFunction PlainFunction: native_call_function native_echo_function;
}

ringback::callback_type! {
    /// More arguments than registers, of all widths.
    pub struct OnMany: fn(
        a: i8, b: f32, c: u64, d: bool, e: Point, f: i16, g: f64, h: u32, i: *const u8, j: Block,
        k: i64, l: u8, m: f64, n: Pair, o: i32, p: bool
    ) -> f64
}

/// Calls, and drops.
///
/// # Safety
/// `error` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_end(callback: OnEnd, error: *mut RbError) -> i32 {
    let callback = callback.adopt().expect("well-formed");
    let mut nothing = ();
    // SAFETY: the caller's promise.
    unsafe { answer(callback.call(), &raw mut nothing, error) }
}

/// Calls with sixteen arguments, and drops.
///
/// # Safety
/// `out` and `error` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_call_many(
    callback: OnMany,
    text: *const u8,
    out: *mut f64,
    error: *mut RbError,
) -> i32 {
    let callback = callback.adopt().expect("well-formed");
    let block = Block { words: [1, 2, 3, 4, u64::MAX], tail: 9 };
    let pair = Pair { low: Small { kind: 1, value: 500 }, high: Small { kind: 2, value: 600 } };
    let point = Point { x: 0.5, y: -8 };
    let result = callback.call(
        -1,
        1.5,
        u64::MAX,
        true,
        point,
        -300,
        2.5,
        7,
        text,
        block,
        i64::MIN,
        255,
        -4.0,
        pair,
        -9,
        false,
    );
    // SAFETY: the caller's promise.
    unsafe { answer(result, out, error) }
}

/// Sums what the test passes, by weights that tell the arguments apart.
#[unsafe(no_mangle)]
pub extern "C" fn native_sum_many() -> OnMany {
    OnMany::new(|a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p| {
        assert!(
            !i.is_null() && j.words == [1, 2, 3, 4, 5] && n.low.value == 500 && n.high.kind == 2
        );
        f64::from(a)
            + f64::from(b)
            + c as f64
            + f64::from(u8::from(d))
            + e.x
            + f64::from(e.y)
            + f64::from(f)
            + g
            + f64::from(h)
            + k as f64
            + f64::from(l)
            + m
            + f64::from(o)
            + f64::from(u8::from(p))
    })
}

/// Calls a callback of bool with any byte, as a careless C caller would.
#[unsafe(no_mangle)]
pub extern "C" fn native_call_bool_with(callback: OnU8, byte: u8) -> i32 {
    let callback = callback.adopt().expect("well-formed");
    callback.call(byte).map_or(-1, i32::from)
}
