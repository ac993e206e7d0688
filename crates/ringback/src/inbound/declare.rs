//! What `callback_pool!` expands to: a type, a static and calls.
//!
//! `ringback_macros` parses the declaration (so that every error stands at the right token) and
//! hands the parts over in the fixed order below; the text of the expansion is here, to be read.

/// A pool whose signature is written out.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool {
    (
        $(#[$attribute:meta])* [$($vis:tt)*] $name:ident
        pointer [$pointer:ty] safety [$($unsafe:ident)?] abi [$abi:literal]
        lifetimes [$($lifetime:lifetime),*]
        arguments [$($argument:ident: $ty:ty, $probe:ident;)*] output [$output:ty]
        $($common:tt)*
    ) => {
        $crate::__pool_common! { $(#[$attribute])* [$($vis)*] $name pointer [$pointer]
            call [for<$($lifetime),*> unsafe fn(*const (), $($ty),*) -> $output]
            output [$output]
            $($common)*
        }

        const _: () = {
            $crate::__any_bits!([$($unsafe)?] $($ty),*);

            /// # Safety
            /// `index` is a slot of the pool; the arguments are what the signature promises.
            unsafe extern "C-unwind" fn body<$($lifetime),*>(
                $($argument: $ty,)* index: usize
            ) -> $output {
                // SAFETY: the thunks pass their own index; `call` gets its own data.
                unsafe {
                    $crate::__private::dispatch::<$name>(index, |call, data| {
                        call(data, $($argument),*)
                    })
                }
            }

            pub struct At<I>(::core::marker::PhantomData<I>);
            impl<I: $crate::__private::Index> $crate::__private::Thunk for At<I> {
                const ADDRESS: *const () = {
                    /// # Safety
                    /// The arguments are what the signature promises.
                    unsafe extern $abi fn thunk<$($lifetime,)* I: $crate::__private::Index>(
                        $($argument: $ty),*
                    ) -> $output {
                        // SAFETY: generated for the slots of this pool only.
                        unsafe { body($($argument,)* I::VALUE) }
                    }
                    thunk::<I> as *const ()
                };
            }
            impl $crate::__private::Generate for $name {
                const SLOTS: usize = <$name>::SLOTS;
                type Thunk<I: $crate::__private::Index> = At<I>;
            }

            // The argument brings the lifetimes into scope, and what they imply of each other.
            const fn register<$($lifetime),*>(
                _: ::core::marker::PhantomData<($($ty,)* $output,)>
            ) -> ::core::option::Option<u8> {
                #[allow(unused_imports)] // where every type is known
                use $crate::__private::Unknown as _;
                $crate::__private::free_register(
                    &[$($crate::__passing!($probe $ty)),*],
                    $crate::__passing!(probe $output),
                )
            }
            const REGISTER: ::core::option::Option<u8> = register(::core::marker::PhantomData);
            impl $name {
                const TABLE: $crate::__private::Table = $crate::__table!(
                    slots <$name>::SLOTS, register REGISTER, body body, generate $name
                );
            }

            // SAFETY: `CALL` takes an `*const F`.
            unsafe impl<F> $crate::__private::Accepts<F> for $name
            where
                F: for<$($lifetime),*> Fn($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |data, $($argument),*| unsafe {
                    $crate::__private::shared::<F>(data)($($argument),*)
                };
            }

            // SAFETY: `CALL` takes an `*const Exclusive<F>`.
            unsafe impl<F> $crate::__private::AcceptsMut<F> for $name
            where
                F: for<$($lifetime),*> FnMut($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |data, $($argument),*| unsafe {
                    $crate::__private::exclusive::<$name, F>(data, |listener| listener($($argument),*))
                };
            }

            // SAFETY: `CALL` takes an `*const Once<F>`.
            unsafe impl<F> $crate::__private::AcceptsOnce<F> for $name
            where
                F: for<$($lifetime),*> FnOnce($($ty),*) -> $output,
            {
                // SAFETY: the promise of whoever calls a `CALL`.
                const CALL: Self::Call = |data, $($argument),*| unsafe {
                    $crate::__private::once::<$name, F>(data, |listener| listener($($argument),*))
                };
            }
        };
    };
}

/// A pool whose type is an alias of a C function-pointer type.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool_alias {
    (
        $(#[$attribute:meta])* [$($vis:tt)*] $name:ident
        pointer [$pointer:ty]
        $($common:tt)*
    ) => {
        $crate::__pool_common! { $(#[$attribute])* [$($vis)*] $name pointer [$pointer]
            call [<<$pointer as $crate::__private::FnPointer>::Shape as $crate::__private::Shape>::Call]
            output [<<$pointer as $crate::__private::FnPointer>::Shape as $crate::__private::Shape>::Output]
            $($common)*
        }

        const _: () = {
            type TheShape = <$pointer as $crate::__private::FnPointer>::Shape;
            type TheAbi = <$pointer as $crate::__private::FnPointer>::Abi;
            impl $crate::__private::Generate for $name {
                const SLOTS: usize = <$name>::SLOTS;
                type Thunk<I: $crate::__private::Index> =
                    $crate::__private::ShapeThunk<$name, TheShape, TheAbi, I>;
            }
            const fn register() -> ::core::option::Option<u8> {
                #[allow(unused_imports)] // where every type is known
                use $crate::__private::NoRegister as _;
                $crate::__private::Body::<$name, TheShape>::REGISTER
            }
            const REGISTER: ::core::option::Option<u8> = register();
            impl $name {
                const TABLE: $crate::__private::Table = $crate::__table!(
                    slots <$name>::SLOTS, register REGISTER,
                    body $crate::__private::Body::<$name, TheShape>::body, generate $name
                );
            }

            // SAFETY: `ShapeAccepts` has the same contract.
            unsafe impl<F> $crate::__private::Accepts<F> for $name
            where
                TheShape: $crate::__private::ShapeAccepts<$name, F>,
            {
                const CALL: Self::Call =
                    <TheShape as $crate::__private::ShapeAccepts<$name, F>>::CALL;
            }
            // SAFETY: `ShapeAcceptsMut` has the same contract.
            unsafe impl<F> $crate::__private::AcceptsMut<F> for $name
            where
                TheShape: $crate::__private::ShapeAcceptsMut<$name, F>,
            {
                const CALL: Self::Call =
                    <TheShape as $crate::__private::ShapeAcceptsMut<$name, F>>::CALL;
            }
            // SAFETY: `ShapeAcceptsOnce` has the same contract.
            unsafe impl<F> $crate::__private::AcceptsOnce<F> for $name
            where
                TheShape: $crate::__private::ShapeAcceptsOnce<$name, F>,
            {
                const CALL: Self::Call =
                    <TheShape as $crate::__private::ShapeAcceptsOnce<$name, F>>::CALL;
            }
        };
    };
}

/// What both forms share: the type, the static, and the signature that joins them.
#[doc(hidden)]
#[macro_export]
macro_rules! __pool_common {
    (
        $(#[$attribute:meta])* [$($vis:tt)*] $name:ident
        pointer [$pointer:ty] call [$call:ty] output [$output:ty]
        slots [$slots:expr]
        fallback [$fallback:expr] on_panic [$panic:ident $on_panic:expr]
        on_busy [$wait:expr, $on_busy:expr] on_wrong_thread [$on_wrong_thread:expr]
        reuse [$reuse:ident] always_counted [$always_counted:expr] count_calls [$count_calls:expr]
    ) => {
        // The pool and its signature share a name: one is a value, the other a type.
        #[doc = concat!("The signature of the pool [`static@", stringify!($name), "`].")]
        #[allow(non_camel_case_types)]
        $($vis)* struct $name {}

        $(#[$attribute])*
        $($vis)* static $name: $crate::Pool<$name> = $crate::Pool::new(
            concat!(module_path!(), "::", stringify!($name)),
            <$name>::slot_table(),
            <$name>::TABLE,
            $crate::Reuse::$reuse,
        );

        impl $name {
            const SLOTS: usize = $slots;

            const fn slot_table() -> &'static [$crate::__private::Slot] {
                static TABLE: [$crate::__private::Slot; <$name>::SLOTS] =
                    [const { $crate::__private::Slot::new() }; <$name>::SLOTS];
                &TABLE
            }
        }

        // SAFETY: all parts come from one declaration, and `Call` is a plain function pointer.
        unsafe impl $crate::Signature for $name {
            type Pointer = $pointer;
            type Call = $call;
            type Output = $output;

            const PANIC: $crate::__private::PanicPolicy = $crate::__private::PanicPolicy::$panic;
            const ALWAYS_COUNTED: bool = $always_counted;
            const COUNT_CALLS: bool = $count_calls;
            const BUSY_WAIT: ::core::time::Duration = $wait;

            fn pool() -> &'static $crate::Pool<Self> {
                &$name
            }
            #[inline(always)]
            fn slots() -> &'static [$crate::__private::Slot] {
                <$name>::slot_table()
            }
            fn calls() -> &'static [::core::sync::atomic::AtomicU64] {
                const COUNTERS: usize = if $count_calls { <$name>::SLOTS } else { 0 };
                static CALLS: [::core::sync::atomic::AtomicU64; COUNTERS] =
                    [const { ::core::sync::atomic::AtomicU64::new(0) }; COUNTERS];
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
    ([unsafe] $($ty:ty),*) => {};
    ([] $($ty:ty),*) => { $(const _: () = $crate::__private::assert_any_bits::<$ty>();)* };
}
