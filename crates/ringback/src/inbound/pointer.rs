// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pools whose type is a plain function-pointer type or an alias of one, such as bindgen writes:
//! `Option<unsafe extern "C" fn(*mut T) -> c_int>`.
//!
//! The macro sees only the alias's name, so everything is found through traits here: the alias
//! leads to its *shape* `fn(A, B) -> R` and its ABI, and the shape to the functions. That works for
//! types that borrow nothing: a trait cannot be implemented for all `for<'a> fn(&'a T)` at once.

use super::dispatch::dispatch;
use super::listener::{exclusive, once, shared};
#[cfg(feature = "std")]
use super::mailbox::{Take, inlet};
use super::signature::{Passing, Scalar, Signature, free_register};
use super::slot::Slot;
use super::thunk::{Index, Thunk};
use core::marker::PhantomData;

/// A C function-pointer type without borrowed arguments, or an `Option` of one.
///
/// # Safety
/// `Shape` has the arguments and the result of the function type, `Abi` is its ABI.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a callback pool",
    label = "not a C function-pointer type without borrowed arguments",
    note = "write the signature out: `Pool<unsafe extern \"C\" fn(message: &Message) -> i32, 100>`"
)]
pub unsafe trait FnPointer: Copy {
    #[doc(hidden)]
    type Shape: Shape;
    #[doc(hidden)]
    type Abi;
}

// SAFETY: an `Option` of a function pointer is that pointer, with null as `None`.
unsafe impl<P: FnPointer> FnPointer for Option<P> {
    type Shape = P::Shape;
    type Abi = P::Abi;
}

/// `P`, known to be a function pointer.
///
/// `GOOD` is computed for the pool's type once. Where that fails, every type that is found through
/// this one is an error which has been told already, so the compiler is quiet about its many uses.
#[doc(hidden)]
pub struct Checked<P, const GOOD: bool>(PhantomData<P>);

/// Finds out, for `Checked`, whether a type is a function pointer that borrows nothing: the inherent
/// constant is chosen where it is, the trait's otherwise.
#[doc(hidden)]
pub struct Candidate<P>(PhantomData<P>);
impl<P: FnPointer> Candidate<P> {
    pub const GOOD: bool = true;
}
#[doc(hidden)]
pub trait Unfit {
    const GOOD: bool = false;
}
impl<P> Unfit for Candidate<P> {}

#[doc(hidden)]
pub trait OfPointer {
    type Shape: Shape;
    type Abi;
}
impl<P: FnPointer> OfPointer for Checked<P, true> {
    type Shape = P::Shape;
    type Abi = P::Abi;
}

#[doc(hidden)]
pub trait Shape {
    type Call: Copy;
    type Output;
}

macro_rules! shape_accepts {
    ($($name:ident)+) => { $(
        /// # Safety
        /// As for the `Accepts` trait of the same kind.
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(
            message = "this listener does not take the arguments of the pool's type, or does not return its type"
        )]
        pub unsafe trait $name<S, F>: Shape {
            const CALL: Self::Call;
        }
    )+ };
}
shape_accepts!(ShapeAccepts ShapeAcceptsMut ShapeAcceptsOnce);

/// # Safety
/// As for [`AcceptsTake`](super::signature::AcceptsTake).
#[cfg(feature = "std")]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this taking function does not take the arguments of the pool's type, or does not return a `Take`"
)]
pub unsafe trait ShapeAcceptsTake<S, T, M>: Shape {
    const CALL: Self::Call;
}

/// `-> ()` needs no fallback.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this pool's functions return `{Self}`, so a stale call needs an answer",
    label = "add `fallback = <value>;`"
)]
pub trait NeedsNoFallback {
    fn answer() -> Self;
}
#[diagnostic::do_not_recommend]
impl NeedsNoFallback for () {
    fn answer() {}
}

#[doc(hidden)]
pub struct C;
#[doc(hidden)]
pub struct System;
#[doc(hidden)]
pub struct CUnwind;

/// The body that the assembler table jumps to, and the register for the slot.
#[doc(hidden)]
pub struct Body<S, Sh>(PhantomData<(S, Sh)>);
/// The inherent constant of [`Body`] stands where every type is a [`Scalar`], this one elsewhere.
#[doc(hidden)]
pub trait NoRegister {
    const REGISTER: Option<u8> = None;
}
impl<S, Sh> NoRegister for Body<S, Sh> {}

#[doc(hidden)]
pub struct ShapeThunk<S, Sh, Abi, I>(PhantomData<(S, Sh, Abi, I)>);

macro_rules! pointers {
    ($(($($arg:ident: $ty:ident),*))+) => { $(
        pointers!(@abi [unsafe extern "C" fn($($ty),*) -> R], C, $($ty),*);
        pointers!(@abi [extern "C" fn($($ty),*) -> R], C, $($ty),*);
        pointers!(@abi [unsafe extern "system" fn($($ty),*) -> R], System, $($ty),*);
        pointers!(@abi [extern "system" fn($($ty),*) -> R], System, $($ty),*);
        pointers!(@abi [unsafe extern "C-unwind" fn($($ty),*) -> R], CUnwind, $($ty),*);
        pointers!(@abi [extern "C-unwind" fn($($ty),*) -> R], CUnwind, $($ty),*);

        impl<R, $($ty),*> Shape for fn($($ty),*) -> R {
            type Call = unsafe fn($($ty,)* *const ()) -> R;
            type Output = R;
        }

        // SAFETY: `call` takes an `*const F`.
        unsafe impl<S, FF, R, $($ty),*> ShapeAccepts<S, FF> for fn($($ty),*) -> R
        where
            FF: Fn($($ty),*) -> R,
        {
            // SAFETY: the promise of whoever calls a `CALL`.
            const CALL: Self::Call = |$($arg,)* data| unsafe { shared::<FF>(data)($($arg),*) };
        }

        // SAFETY: `call` takes an `*const Exclusive<F>`.
        unsafe impl<S, FF, R, $($ty),*> ShapeAcceptsMut<S, FF> for fn($($ty),*) -> R
        where
            S: Signature<Output = R>,
            FF: FnMut($($ty),*) -> R,
        {
            // SAFETY: the promise of whoever calls a `CALL`.
            const CALL: Self::Call = |$($arg,)* data| unsafe { exclusive::<S, FF>(data, |listener| listener($($arg),*)) };
        }

        // SAFETY: `call` takes an `*const Once<F>`.
        unsafe impl<S, FF, R, $($ty),*> ShapeAcceptsOnce<S, FF> for fn($($ty),*) -> R
        where
            S: Signature<Output = R>,
            FF: FnOnce($($ty),*) -> R,
        {
            // SAFETY: the promise of whoever calls a `CALL`.
            const CALL: Self::Call = |$($arg,)* data| unsafe { once::<S, FF>(data, |listener| listener($($arg),*)) };
        }

        // SAFETY: `call` takes an `*const Inlet<T, M, R>`.
        #[cfg(feature = "std")]
        unsafe impl<S, TT, MM, R: Clone, $($ty),*> ShapeAcceptsTake<S, TT, MM> for fn($($ty),*) -> R
        where
            S: Signature<Output = R>,
            TT: Fn($($ty),*) -> Take<MM, R>,
        {
            const CALL: Self::Call =
                // SAFETY: the promise of whoever calls a `CALL`.
                |$($arg,)* data| unsafe { inlet::<S, TT, MM>(data, |take| take($($arg),*)) };
        }

        impl<S, R, $($ty),*> Body<S, fn($($ty),*) -> R>
        where
            S: Signature<Call = unsafe fn($($ty,)* *const ()) -> R, Output = R>,
        {
            /// # Safety
            /// `slot` is one of the pool's, and the arguments are what the C signature promises.
            pub unsafe extern "C-unwind" fn body($($arg: $ty,)* slot: &'static Slot) -> R {
                // SAFETY: the caller's promise; the listener's function gets its own data.
                unsafe { dispatch::<S>(slot, move |call, data| call($($arg,)* data)) }
            }
        }

        impl<S, R: Scalar, $($ty: Scalar),*> Body<S, fn($($ty),*) -> R> {
            pub const REGISTER: Option<u8> =
                free_register(&[$(Some(<$ty as Scalar>::PASSING)),*], Some(<R as Scalar>::PASSING));
        }

        pointers!(@thunk C "C" ($($arg: $ty),*));
        pointers!(@thunk System "system" ($($arg: $ty),*));
        pointers!(@thunk CUnwind "C-unwind" ($($arg: $ty),*));
    )+ };
    (@abi [$pointer:ty], $abi:ident, $($ty:ident),*) => {
        // SAFETY: read off the type.
        unsafe impl<R, $($ty),*> FnPointer for $pointer {
            type Shape = fn($($ty),*) -> R;
            type Abi = $abi;
        }
    };
    (@thunk $abi:ident $text:literal ($($arg:ident: $ty:ident),*)) => {
        impl<S, I: Index, R, $($ty),*> Thunk for ShapeThunk<S, fn($($ty),*) -> R, $abi, I>
        where
            S: Signature<Call = unsafe fn($($ty,)* *const ()) -> R, Output = R>,
        {
            const ADDRESS: *const () = {
                /// # Safety
                /// The arguments are what the C signature promises.
                unsafe extern $text fn thunk<S, I: Index, R, $($ty),*>($($arg: $ty),*) -> R
                where
                    S: Signature<Call = unsafe fn($($ty,)* *const ()) -> R, Output = R>,
                {
                    // SAFETY: generated for the slots of the pool only.
                    unsafe {
                        let slot = S::slots().get_unchecked(I::VALUE);
                        Body::<S, fn($($ty),*) -> R>::body($($arg,)* slot)
                    }
                }
                thunk::<S, I, R, $($ty),*> as *const ()
            };
        }
    };
}

pointers! {
    ()
    (a: A)
    (a: A, b: B)
    (a: A, b: B, c: C0)
    (a: A, b: B, c: C0, d: D)
    (a: A, b: B, c: C0, d: D, e: E)
    (a: A, b: B, c: C0, d: D, e: E, f: F)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L, l: M)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L, l: M, m: N)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L, l: M, m: N, n: O)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L, l: M, m: N, n: O, o: P)
    (a: A, b: B, c: C0, d: D, e: E, f: F, g: G, h: H, i: J, j: K, k: L, l: M, m: N, n: O, o: P, p: Q)
}

macro_rules! function_scalar {
    ($(($($ty:ident),*))+) => { $(
        function_scalar!(@one [unsafe extern "C" fn($($ty),*) -> R], $($ty),*);
        function_scalar!(@one [extern "C" fn($($ty),*) -> R], $($ty),*);
    )+ };
    (@one [$pointer:ty], $($ty:ident),*) => {
        // SAFETY: a function pointer: one integer register.
        unsafe impl<R, $($ty),*> Scalar for $pointer {
            const PASSING: Passing = Passing::Integer;
        }
        // SAFETY: as above, with null as `None`.
        unsafe impl<R, $($ty),*> Scalar for Option<$pointer> {
            const PASSING: Passing = Passing::Integer;
        }
    };
}
function_scalar! { () (A) (A, B) (A, B, C0) (A, B, C0, D) (A, B, C0, D, E) (A, B, C0, D, E, F) }

/// Function-pointer types that the macro recognised by their tokens, whatever they borrow.
#[doc(hidden)]
pub const FUNCTION_POINTER: Option<Passing> = Some(Passing::Integer);
