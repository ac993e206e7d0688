// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `callback_pool!` expands to: a type, a static and calls.
//!
//! `ringback_macros` parses the declaration (so that every error stands at the right token) and
//! hands the parts over in the fixed order below; the text of the expansion is here, to be read.
//!
//! The user's types stand among these items, so nothing here may hide a name of theirs: paths are
//! absolute, and generic parameters and items are called `Ringback..` (locals are hygienic anyway).

/// A pool whose signature is written out.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool {
    (
        static [$($static:tt)*] shared [$(#[$shared:meta])*] $name:ident
        safety [$($unsafe:ident)?] abi [$abi:literal] lifetimes [$($lifetime:lifetime),*]
        arguments [$($argument:ident $named:tt: $ty:ty, $probe:ident;)*] output [$output:ty]
        $($options:tt)*
    ) => {
        $crate::__pool_static! { $($static)* shared [$(#[$shared])*] $name }

        $(#[$shared])*
        const _: () = {
            $crate::__any_bits!([$($unsafe)?] [$($lifetime),*] $($ty),*);

            /// # Safety
            /// `slot` is one of the pool's; the arguments are what the signature promises.
            #[allow(improper_ctypes_definitions)] // the thunk is warned of
            unsafe extern "C-unwind" fn ringback_body<$($lifetime),*>(
                $($argument: $ty,)* slot: &'static $crate::__private::Slot
            ) -> $output {
                // SAFETY: the thunks pass their own slot; `call` gets its own data.
                unsafe {
                    $crate::__private::dispatch::<$name>(slot, move |call, data| {
                        call($($argument,)* data)
                    })
                }
            }

            pub struct RingbackAt<RingbackIndex>(::core::marker::PhantomData<RingbackIndex>);
            impl<RingbackIndex> $crate::__private::Thunk for RingbackAt<RingbackIndex>
            where
                RingbackIndex: $crate::__private::Index,
            {
                const ADDRESS: *const () = {
                    /// # Safety
                    /// The arguments are what the signature promises.
                    unsafe extern $abi fn ringback_thunk<$($lifetime,)* RingbackIndex>(
                        $($argument: $ty),*
                    ) -> $output
                    where
                        RingbackIndex: $crate::__private::Index,
                    {
                        // SAFETY: generated for the slots of this pool only.
                        unsafe {
                            let slot = RingbackSlots::table().get_unchecked(RingbackIndex::VALUE);
                            ringback_body($($argument,)* slot)
                        }
                    }
                    ringback_thunk::<RingbackIndex> as *const ()
                };
            }
            impl $crate::__private::Generate for $name {
                const SLOTS: usize = RingbackSlots::NUMBER;
                type Thunk<RingbackIndex: $crate::__private::Index> = RingbackAt<RingbackIndex>;
            }

            // The argument brings the lifetimes into scope, and what they imply of each other.
            const fn ringback_register<$($lifetime),*>(
                _: ::core::marker::PhantomData<($($ty,)* $output,)>
            ) -> ::core::option::Option<u8> {
                #[allow(unused_imports)] // where every type is known
                use $crate::__private::Unknown as _;
                $crate::__private::free_register(
                    &[$($crate::__passing!($probe $ty)),*],
                    $crate::__passing!(probe $output),
                )
            }
            const RINGBACK_REGISTER: ::core::option::Option<u8> =
                ringback_register(::core::marker::PhantomData);
            $crate::__pool_signature! { $name
                pointer [
                    for<$($lifetime),*> $($unsafe)? extern $abi fn($($named: $ty),*) -> $output
                ]
                call [for<$($lifetime),*> unsafe fn($($ty,)* *const ()) -> $output]
                output [$output]
                table [
                    slots RingbackSlots::NUMBER, register RINGBACK_REGISTER,
                    body ringback_body, generate $name
                ]
                $($options)*
            }

            // SAFETY: `CALL` takes a pointer to the listener.
            unsafe impl<RingbackListener> $crate::__private::Accepts<RingbackListener> for $name
            where
                RingbackListener: for<$($lifetime),*> ::core::ops::Fn($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |$($argument,)* data| unsafe {
                    $crate::__private::shared::<RingbackListener>(data)($($argument),*)
                };
            }

            // SAFETY: `CALL` takes a pointer to the `Exclusive` listener.
            unsafe impl<RingbackListener> $crate::__private::AcceptsMut<RingbackListener> for $name
            where
                RingbackListener: for<$($lifetime),*> ::core::ops::FnMut($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |$($argument,)* data| unsafe {
                    $crate::__private::exclusive::<$name, RingbackListener>(data, |listener| {
                        listener($($argument),*)
                    })
                };
            }

            // SAFETY: `CALL` takes a pointer to the `Once` listener.
            unsafe impl<RingbackListener> $crate::__private::AcceptsOnce<RingbackListener> for $name
            where
                RingbackListener: for<$($lifetime),*> ::core::ops::FnOnce($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |$($argument,)* data| unsafe {
                    $crate::__private::once::<$name, RingbackListener>(data, |listener| {
                        listener($($argument),*)
                    })
                };
            }

            $crate::__accepts_take! { $name lifetimes [$($lifetime),*] types [$($ty),*]
                arguments [$($argument),*] output [$output] }
        };
    };
}

/// A pool whose type is an alias of a C function-pointer type.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool_alias {
    (
        static [$($static:tt)*] shared [$(#[$shared:meta])*] $name:ident
        pointer [$pointer:ty] is_pointer [$is_pointer:expr]
        $($options:tt)*
    ) => {
        $crate::__pool_static! { $($static)* shared [$(#[$shared])*] $name }

        $(#[$shared])*
        const _: () = {
            // Every use of the type goes through the check, so that a wrong one is told once.
            type RingbackPointer = $crate::__private::Checked<$pointer, { $is_pointer }>;
            type RingbackShape = <RingbackPointer as $crate::__private::OfPointer>::Shape;
            type RingbackAbi = <RingbackPointer as $crate::__private::OfPointer>::Abi;

            impl $crate::__private::Generate for $name {
                const SLOTS: usize = RingbackSlots::NUMBER;
                type Thunk<RingbackIndex: $crate::__private::Index> =
                    $crate::__private::ShapeThunk<$name, RingbackShape, RingbackAbi, RingbackIndex>;
            }
            const fn ringback_register() -> ::core::option::Option<u8> {
                #[allow(unused_imports)] // where every type is known
                use $crate::__private::NoRegister as _;
                $crate::__private::Body::<$name, RingbackShape>::REGISTER
            }
            const RINGBACK_REGISTER: ::core::option::Option<u8> = ringback_register();
            $crate::__pool_signature! { $name
                pointer [$pointer]
                call [<RingbackShape as $crate::__private::Shape>::Call]
                output [<RingbackShape as $crate::__private::Shape>::Output]
                table [
                    slots RingbackSlots::NUMBER, register RINGBACK_REGISTER,
                    body $crate::__private::Body::<$name, RingbackShape>::body, generate $name
                ]
                $($options)*
            }

            // SAFETY: `ShapeAccepts` has the same contract.
            unsafe impl<RingbackListener> $crate::__private::Accepts<RingbackListener> for $name
            where
                RingbackShape: $crate::__private::ShapeAccepts<$name, RingbackListener>,
            {
                const CALL: Self::Call =
                    <RingbackShape as $crate::__private::ShapeAccepts<$name, RingbackListener>>::CALL;
            }
            // SAFETY: `ShapeAcceptsMut` has the same contract.
            unsafe impl<RingbackListener> $crate::__private::AcceptsMut<RingbackListener> for $name
            where
                RingbackShape: $crate::__private::ShapeAcceptsMut<$name, RingbackListener>,
            {
                const CALL: Self::Call =
                    <RingbackShape as $crate::__private::ShapeAcceptsMut<$name, RingbackListener>>::CALL;
            }
            // SAFETY: `ShapeAcceptsOnce` has the same contract.
            unsafe impl<RingbackListener> $crate::__private::AcceptsOnce<RingbackListener> for $name
            where
                RingbackShape: $crate::__private::ShapeAcceptsOnce<$name, RingbackListener>,
            {
                const CALL: Self::Call =
                    <RingbackShape as $crate::__private::ShapeAcceptsOnce<$name, RingbackListener>>::CALL;
            }
            $crate::__accepts_shape_take! { $name }
        };
    };
}

/// The static and its type.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool_static {
    (
        $(#[$attribute:meta])* vis [$($vis:tt)*] reuse [$reuse:ident]
        shared [$(#[$shared:meta])*] $name:ident
    ) => {
        // The pool and its signature share a name: one is a value, the other a type.
        #[doc = ::core::concat!("The signature of the pool [`static@", ::core::stringify!($name), "`].")]
        #[allow(clippy::upper_case_acronyms, non_camel_case_types)]
        $(#[$shared])*
        $($vis)* struct $name { _private: () }

        $(#[$attribute])*
        $($vis)* static $name: $crate::Pool<$name> = $crate::Pool::new(
            ::core::concat!(::core::module_path!(), "::", ::core::stringify!($name)),
            <<$name as $crate::Signature>::Slots>::table(),
            <$name as $crate::Signature>::TABLE,
            $crate::Reuse::$reuse,
        );
    };
}

/// The signature: types, policies and answers.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool_signature {
    (
        $name:ident pointer [$pointer:ty] call [$call:ty] output [$output:ty] table [$($table:tt)*]
        slots [$slots:expr] fallback [$fallback:expr] on_panic [$panic:ident $on_panic:expr]
        on_busy [$wait:expr, $on_busy:expr] on_wrong_thread [$on_wrong_thread:expr]
        always_counted [$always_counted:expr] count_calls [$count_calls:expr]
        export [$($export:literal)*]
    ) => {
        pub struct RingbackSlots;
        impl RingbackSlots {
            const GIVEN: usize = $slots;
            /// Without slots there is one error, from `__some_slots`, and none that follow.
            const NUMBER: usize = if Self::GIVEN == 0 { 1 } else { Self::GIVEN };

            #[inline(always)] // on the way of every call
            const fn table() -> &'static [$crate::__private::Slot] {
                &RINGBACK_SLOTS
            }
        }
        static RINGBACK_SLOTS: [$crate::__private::Slot; RingbackSlots::NUMBER] =
            [const { $crate::__private::Slot::new() }; RingbackSlots::NUMBER];

        // SAFETY: all parts come from one declaration, and `Call` is a plain function pointer.
        #[allow(deprecated)] // the pool's users are told, not the pool
        unsafe impl $crate::Signature for $name {
            type Pointer = $pointer;
            type Call = $call;
            type Output = $output;
            type Slots = RingbackSlots;

            const TABLE: $crate::__private::Table = {
                #[allow(unused_imports)] // the generated table needs neither
                use ::core::option::Option::{None, Some}; // there may be others in scope
                $crate::__table!($($table)*, table RINGBACK_SLOTS, export [$($export)*])
            };

            const PANIC: $crate::__private::PanicPolicy = $crate::__private::PanicPolicy::$panic;
            const ALWAYS_COUNTED: bool = $always_counted;
            const COUNT_CALLS: bool = $count_calls;
            const BUSY_WAIT: ::core::time::Duration = $wait;

            fn pool() -> &'static $crate::Pool<Self> {
                &$name
            }
            #[inline(always)]
            fn slots() -> &'static [$crate::__private::Slot] {
                RingbackSlots::table()
            }
            fn calls() -> &'static [$crate::__private::AtomicU64] {
                const COUNTERS: usize = if $count_calls { RingbackSlots::NUMBER } else { 0 };
                static CALLS: [$crate::__private::AtomicU64; COUNTERS] =
                    [const { $crate::__private::AtomicU64::new(0) }; COUNTERS];
                &CALLS
            }
            fn fallback() -> Self::Output {
                $fallback
            }
            fn on_panic() -> Self::Output {
                $on_panic
            }
            fn on_busy() -> Self::Output {
                $on_busy
            }
            fn on_wrong_thread() -> Self::Output {
                $on_wrong_thread
            }
        }
    };
}

/// How one argument is passed: function pointers by their tokens, everything else by its type.
#[doc(hidden)]
#[macro_export]
macro_rules! __passing {
    (function $ty:ty) => {
        $crate::__private::FUNCTION_POINTER
    };
    (probe $ty:ty) => {
        $crate::__private::Probe::<$ty>::PASSING
    };
}

/// A safe C function takes only types without invalid values.
#[doc(hidden)]
#[macro_export]
macro_rules! __any_bits {
    ([unsafe] [$($lifetime:lifetime),*] $($ty:ty),*) => {};
    ([] [$($lifetime:lifetime),*] $($ty:ty),*) => {
        const fn ringback_any_bits<$($lifetime),*>() {
            $($crate::__private::assert_any_bits::<$ty>();)*
        }
        ringback_any_bits();
    };
}

/// Whether an alias is a function pointer that borrows nothing. As `__some_slots`.
#[doc(hidden)]
#[macro_export]
macro_rules! __is_pointer {
    ($pointer:ty) => {{
        #[allow(unused_imports)] // where it is
        use $crate::__private::Unfit as _;
        ::core::assert!(
            $crate::__private::Candidate::<$pointer>::GOOD,
            "by its name, a pool's type can only be a C function pointer with up to 16 arguments that \
             borrows nothing: write it out, `Pool<unsafe extern \"C\" fn(message: &Message), 100>`"
        );
        true
    }};
}

/// Refuses a pool without slots. `ringback_macros` calls it where the number is written, so that the
/// error stands there.
#[doc(hidden)]
#[macro_export]
macro_rules! __some_slots {
    ($name:ident) => {
        const _: () = ::core::assert!(
            <<$name as $crate::Signature>::Slots>::GIVEN > 0,
            "a pool needs at least one slot"
        );
    };
}
