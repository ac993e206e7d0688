// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a pool declaration says, as types: made by `callback_pool!`, read by everything else.

use super::pool::Pool;
use super::slot::Slot;
use super::thunk::Table;
use crate::sync::AtomicU64;
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::time::Duration;

/// What becomes of a panic in a listener.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanicPolicy {
    Answer,
    Abort,
    Propagate,
}

/// The signature and the policies of one pool. Implemented by [`callback_pool!`](crate::callback_pool)
/// only; the type has the name of the pool.
///
/// # Safety
/// `Call` is a plain function pointer `unsafe fn(args.., *const ()) -> Output`; the slots, the
/// table and the pool belong together and to no other pool.
pub unsafe trait Signature: Sized + 'static {
    /// The C function pointer that the pool lends out.
    type Pointer: Copy;
    #[doc(hidden)]
    type Call: Copy;
    /// What the C functions return.
    type Output;
    #[doc(hidden)]
    type Slots;

    #[doc(hidden)]
    const TABLE: Table;
    #[doc(hidden)]
    const PANIC: PanicPolicy;
    #[doc(hidden)]
    const ALWAYS_COUNTED: bool;
    #[doc(hidden)]
    const COUNT_CALLS: bool;
    #[doc(hidden)]
    const BUSY_WAIT: Duration;

    /// The pool of this signature.
    fn pool() -> &'static Pool<Self>;
    #[doc(hidden)]
    fn slots() -> &'static [Slot];
    #[doc(hidden)]
    fn calls() -> &'static [AtomicU64];
    #[doc(hidden)]
    fn fallback() -> Self::Output;
    #[doc(hidden)]
    fn on_panic() -> Self::Output;
    #[doc(hidden)]
    fn on_busy() -> Self::Output;
    #[doc(hidden)]
    fn on_wrong_thread() -> Self::Output;
}

/// `F` can be called as this pool's functions are, from any number of threads at once.
///
/// # Safety
/// `CALL`'s last argument is an `*const F`.
#[diagnostic::on_unimplemented(
    message = "this listener does not take the arguments of the pool `{Self}`, or does not return its type",
    note = "a listener is a closure or function with the pool's arguments and return type"
)]
pub unsafe trait Accepts<F>: Signature {
    #[doc(hidden)]
    const CALL: Self::Call;
}

/// As [`Accepts`], for `FnMut`.
///
/// # Safety
/// `CALL`'s last argument is an `*const Exclusive<F>`.
#[diagnostic::on_unimplemented(
    message = "this listener does not take the arguments of the pool `{Self}`, or does not return its type",
    note = "a listener is a closure or function with the pool's arguments and return type"
)]
pub unsafe trait AcceptsMut<F>: Signature {
    #[doc(hidden)]
    const CALL: Self::Call;
}

/// As [`Accepts`], for `FnOnce`.
///
/// # Safety
/// `CALL`'s last argument is an `*const Once<F>`.
#[diagnostic::on_unimplemented(
    message = "this listener does not take the arguments of the pool `{Self}`, or does not return its type",
    note = "a listener is a closure or function with the pool's arguments and return type"
)]
pub unsafe trait AcceptsOnce<F>: Signature {
    #[doc(hidden)]
    const CALL: Self::Call;
}

/// As [`Accepts`], for the taking function of an async listener.
///
/// # Safety
/// `CALL`'s last argument is an `*const Inlet<T, M, Self::Output>`.
#[cfg(feature = "std")]
#[diagnostic::on_unimplemented(
    message = "this taking function does not take the arguments of the pool `{Self}`, or does not return a `Take`",
    note = "it takes the pool's arguments and returns `Take::Accept(message, answer)` or `Take::Decline(answer)`"
)]
pub unsafe trait AcceptsTake<T, M>: Signature {
    #[doc(hidden)]
    const CALL: Self::Call;
}

/// How a value travels through a C call, for those types that travel in registers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passing {
    /// Nothing is passed: `()` as a return type.
    Nothing,
    /// One integer register.
    Integer,
    /// Two integer registers: `i128`, `u128`.
    IntegerPair,
    /// A floating-point register, no integer register.
    Float,
}

/// A type that a C call passes in registers, exactly as the [`Passing`] says.
///
/// Signatures made of such types are served by the assembler table, which costs no build time;
/// all others work too, through generated functions. Implement it for transparent wrappers and
/// enums of your own to move a large pool to the assembler table:
///
/// ```
/// use ringback::signature::{Passing, Scalar};
///
/// #[repr(transparent)]
/// struct Celsius(f32);
/// // SAFETY: transparent over f32, which is passed in a floating-point register.
/// unsafe impl Scalar for Celsius {
///     const PASSING: Passing = Passing::Float;
/// }
/// ```
///
/// # Safety
/// The C calling convention of every supported target passes the type, as argument and as return
/// value, exactly as `PASSING` says. That holds for `repr(transparent)` types over a `Scalar`
/// (take its `PASSING`) and for field-less enums with a primitive `repr` (`Integer`); for structs
/// and unions it does not.
pub unsafe trait Scalar {
    /// How it travels.
    const PASSING: Passing;
}

macro_rules! scalar {
    ($($passing:ident: $($ty:ty),+;)+) => { $($(
        // SAFETY: System V x86-64 ABI 3.2.3 and AAPCS64 6.4 for the C type this corresponds to.
        unsafe impl Scalar for $ty {
            const PASSING: Passing = Passing::$passing;
        }
    )+)+ };
}
scalar! {
    Nothing: ();
    Integer: bool, char, i8, u8, i16, u16, i32, u32, i64, u64, isize, usize;
    IntegerPair: i128, u128;
    Float: f32, f64;
}

macro_rules! pointer_scalar {
    ($($ty:ty),+) => { $(
        // SAFETY: a thin pointer, or one with null as None: one integer register.
        unsafe impl<T> Scalar for $ty {
            const PASSING: Passing = Passing::Integer;
        }
    )+ };
}
pointer_scalar!(*const T, *mut T, &T, &mut T, Option<&T>, Option<&mut T>, Box<T>, Option<Box<T>>);
pointer_scalar!(core::ptr::NonNull<T>, Option<core::ptr::NonNull<T>>);

/// Finds at compile time whether a type is a [`Scalar`]: the inherent constant is chosen where its
/// bound holds, the trait's otherwise.
#[doc(hidden)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

#[doc(hidden)]
pub trait Unknown {
    const PASSING: Option<Passing> = None;
}
impl<T: ?Sized> Unknown for Probe<T> {}

impl<T: Scalar> Probe<T> {
    #[doc(hidden)]
    pub const PASSING: Option<Passing> = Some(T::PASSING);
}

/// The first integer argument register that a call with these types leaves free, or `None` if one
/// of them is not known to travel in registers, or too few are left for the slot's index.
#[doc(hidden)]
#[must_use]
pub const fn free_register(arguments: &[Option<Passing>], output: Option<Passing>) -> Option<u8> {
    if output.is_none() {
        return None; // an unknown result may come back through a hidden pointer argument
    }
    // AAPCS64 6.8.2 C.10: a 128-bit integer starts at an even register.
    let pairs_are_even = cfg!(target_arch = "aarch64") as u8;
    let last = if cfg!(target_arch = "aarch64") { 7 } else { 5 };
    let mut used: u8 = 0;
    let mut i = 0;
    while i < arguments.len() {
        used += match arguments[i] {
            None => return None,
            Some(Passing::Nothing | Passing::Float) => 0,
            Some(Passing::Integer) => 1,
            Some(Passing::IntegerPair) => 2 + used % 2 * pairs_are_even,
        };
        if used > last {
            return None;
        }
        i += 1;
    }
    Some(used)
}

/// A type of which every bit pattern is a valid value, so that a *safe* C function may take it.
///
/// References, `bool`, `char`, enums and non-null pointers trust the caller: pools with such
/// arguments are declared `unsafe extern`.
///
/// # Safety
/// Every bit pattern is a valid value of the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a safe C function: not every bit pattern is a valid value",
    note = "declare the pool with `unsafe extern \"C\" fn(..)`: its C callers then promise valid arguments"
)]
pub unsafe trait AnyBits {}

macro_rules! any_bits {
    ($($ty:ty),+) => { $(
        // SAFETY: integers, floats and raw pointers have no invalid bit patterns.
        unsafe impl AnyBits for $ty {}
    )+ };
}
any_bits!(i8, u8, i16, u16, i32, u32, i64, u64, i128, u128, isize, usize, f32, f64);
// SAFETY: any address is a valid raw pointer.
unsafe impl<T> AnyBits for *const T {}
// SAFETY: any address is a valid raw pointer.
unsafe impl<T> AnyBits for *mut T {}

#[doc(hidden)]
pub const fn assert_any_bits<T: AnyBits>() {}
