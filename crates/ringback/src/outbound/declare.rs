// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `callback_type!` expands to: a struct, its conversions and calls.
//!
//! `ringback_macros` parses the declaration (so that every error stands at the right token) and
//! hands the parts over in the fixed order below; the text of the expansion is here, to be read. As
//! in `inbound::declare`, nothing here may hide a name of the user's.

/// The type of a `call` in the ABI.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_call {
    ([] $($signature:tt)*) => {
        $crate::__callback_call!(@ [unsafe extern "C"] $($signature)*)
    };
    ([$($lifetime:lifetime),+] $($signature:tt)*) => {
        $crate::__callback_call!(@ [for<$($lifetime),+> unsafe extern "C"] $($signature)*)
    };
    (@ [$($before:tt)*] [$($argument:ident: $ty:ty;)*] [$($output:ty)?]) => {
        $($before)* fn(
            context: *mut ::core::ffi::c_void,
            $($argument: $ty,)*
            $(out: *mut $output,)?
            error: *mut $crate::abi::RbError
        ) -> i32
    };
}

/// The result, or nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_output {
    () => {
        ()
    };
    ($output:ty) => {
        $output
    };
}

/// `$value`, in a repetition over what may be left out.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_where {
    ($given:ty, $value:expr) => {
        $value
    };
}

/// Where the result goes; one of no size goes nowhere.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_out {
    () => {
        ::core::ptr::NonNull::<()>::dangling().as_ptr()
    };
    ($out:expr) => {
        $out
    };
}

/// The struct that crosses, of any kind of callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_struct {
    (
        item [$(#[$attribute:meta])*] shared [$(#[$shared:meta])*] vis [$($vis:tt)*] $name:ident
        call [$call:ty]
    ) => {
        $(#[$attribute])*
        #[repr(C)]
        $($vis)* struct $name {
            size: u32,
            abi: u32,
            call: ::core::option::Option<$call>,
            context: *mut ::core::ffi::c_void,
            retain: ::core::option::Option<
                unsafe extern "C" fn(context: *mut ::core::ffi::c_void)
            >,
            release: ::core::option::Option<
                unsafe extern "C" fn(context: *mut ::core::ffi::c_void)
            >,
        }

        $(#[$shared])*
        const _: () = {
            use $crate::abi::RbCallback as RingbackRaw;
            ::core::assert!(
                ::core::mem::size_of::<$name>() == ::core::mem::size_of::<RingbackRaw>()
                    && ::core::mem::align_of::<$name>() == ::core::mem::align_of::<RingbackRaw>()
                    && ::core::mem::offset_of!($name, abi) == ::core::mem::offset_of!(RingbackRaw, abi)
                    && ::core::mem::offset_of!($name, call) == ::core::mem::offset_of!(RingbackRaw, call)
                    && ::core::mem::offset_of!($name, context)
                        == ::core::mem::offset_of!(RingbackRaw, context)
                    && ::core::mem::offset_of!($name, retain)
                        == ::core::mem::offset_of!(RingbackRaw, retain)
                    && ::core::mem::offset_of!($name, release)
                        == ::core::mem::offset_of!(RingbackRaw, release)
            );
        };

        // The fields are private, so only the module that declares the type can write to them, which
        // is as unsafe as `from_raw`: all that is argued below rests on nobody doing so.
        // SAFETY: by the ABI all three functions may be called from any thread; closures made here
        // are `Send + Sync`.
        $(#[$shared])*
        unsafe impl ::core::marker::Send for $name {}
        // SAFETY: as above.
        $(#[$shared])*
        unsafe impl ::core::marker::Sync for $name {}

        $(#[$shared])*
        impl $name {
            /// Takes over the reference that this struct is.
            ///
            /// # Errors
            /// `NotAdopted` says what is wrong with the struct, and gives it back.
            pub fn adopt(
                self
            ) -> ::core::result::Result<$crate::Callback<Self>, $crate::NotAdopted<Self>> {
                $crate::Callback::adopt(self)
            }

            /// The struct as plain data. Who takes it releases it.
            pub fn into_raw(self) -> $crate::abi::RbCallback {
                let callback = ::core::mem::ManuallyDrop::new(self);
                // SAFETY: the same layout; the struct is not dropped.
                unsafe { ::core::mem::transmute_copy(&callback) }
            }

            /// The struct of plain data.
            ///
            /// # Safety
            /// `raw` is one reference to a callback of this signature, and keeps the rules of
            /// `ringback::abi`.
            pub unsafe fn from_raw(raw: $crate::abi::RbCallback) -> Self {
                // SAFETY: the same layout.
                unsafe { ::core::mem::transmute(raw) }
            }
        }

        $(#[$shared])*
        impl ::core::ops::Drop for $name {
            fn drop(&mut self) {
                // SAFETY: has the layout, and is being dropped.
                unsafe { $crate::__private::release_unadopted(self) }
            }
        }

        $(#[$shared])*
        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// A callback type of `fn(..) -> ..`.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback {
    (
        item [$(#[$attribute:meta])*] shared [$(#[$shared:meta])*] vis [$($vis:tt)*] $name:ident
        lifetimes [$($lifetime:lifetime),*] arguments [$($argument:ident $inner:ident: $ty:ty;)*]
        output [$($output:ty)?]
    ) => {
        $crate::__callback_struct! {
            item [$(#[$attribute])*] shared [$(#[$shared])*] vis [$($vis)*] $name
            call [$crate::__callback_call!(
                [$($lifetime),*] [$($argument: $ty;)*] [$($output)?]
            )]
        }

        $(#[$shared])*
        const _: () = {
            type RingbackOutput = $crate::__callback_output!($($output)?);
            type RingbackPointer =
                for<$($lifetime),*> unsafe extern "C" fn($($argument: $ty),*) -> RingbackOutput;
            type RingbackResult = ::core::result::Result<RingbackOutput, $crate::ForeignError>;

            /// What an adopted callback can be asked.
            #[repr(transparent)]
            pub struct RingbackFunction($name);

            impl RingbackFunction {
                /// Calls the foreign function, on this thread.
                ///
                /// # Errors
                /// `ForeignError`: it raised an exception, panicked, was cancelled.
                #[inline]
                #[allow(clippy::too_many_arguments)] // the signature is the user's
                pub fn call<$($lifetime),*>(&self, $($argument: $ty),*) -> RingbackResult {
                    let mut answer = $crate::__private::Answer::<RingbackOutput>::empty();
                    // SAFETY: adopted, so `call` is set and keeps the ABI; the answer is read as the
                    // status says.
                    unsafe {
                        let call = self.0.call.unwrap_unchecked();
                        let status = call(
                            self.0.context,
                            $($argument,)*
                            $($crate::__callback_where!($output, answer.out()),)?
                            answer.error(),
                        );
                        answer.read(status)
                    }
                }
            }

            /// # Safety
            /// As the ABI says; `context` is a `Callback` given away by `to_foreign`.
            #[allow(improper_ctypes_definitions)] // the struct is warned of
            unsafe extern "C" fn ringback_forward<$($lifetime),*>(
                context: *mut ::core::ffi::c_void,
                $($inner: $ty,)*
                $(out: *mut $output,)?
                error: *mut $crate::abi::RbError
            ) -> i32 {
                // SAFETY: passed on as they came.
                unsafe {
                    let callback = $crate::Callback::<$name>::forwarded(context);
                    let to = &callback.0;
                    to.call.unwrap_unchecked()(
                        to.context,
                        $($inner,)*
                        $($crate::__callback_where!($output, out),)?
                        error,
                    )
                }
            }

            // SAFETY: see `__callback_struct` and above.
            unsafe impl $crate::CallbackType for $name {
                type Function = RingbackFunction;
                const FORWARD: unsafe extern "C" fn() =
                    // SAFETY: function pointers have one size, and it is called as what it is.
                    unsafe { ::core::mem::transmute(ringback_forward as *const ()) };
                const NAME: &'static str =
                    ::core::concat!(::core::module_path!(), "::", ::core::stringify!($name));
            }

            /// What a made callback calls.
            #[allow(clippy::too_many_arguments)] // the signature is the user's
            trait RingbackInvoke {
                fn ringback_invoke<$($lifetime),*>(&self, $($inner: $ty),*) -> RingbackResult;
            }
            impl<RingbackClosure> RingbackInvoke for $crate::__private::Plain<RingbackClosure>
            where
                RingbackClosure: for<$($lifetime),*> ::core::ops::Fn($($ty),*) -> RingbackOutput,
            {
                #[inline(always)]
                fn ringback_invoke<$($lifetime),*>(&self, $($inner: $ty),*) -> RingbackResult {
                    ::core::result::Result::Ok((self.0)($($inner),*))
                }
            }
            impl<RingbackClosure> RingbackInvoke for $crate::__private::Fallible<RingbackClosure>
            where
                RingbackClosure: for<$($lifetime),*> ::core::ops::Fn($($ty),*) -> RingbackResult,
            {
                #[inline(always)]
                fn ringback_invoke<$($lifetime),*>(&self, $($inner: $ty),*) -> RingbackResult {
                    (self.0)($($inner),*)
                }
            }

            /// # Safety
            /// As the ABI says; `context` is that of a closure of this type.
            #[allow(improper_ctypes_definitions)] // the struct is warned of
            unsafe extern "C" fn ringback_call<$($lifetime,)* RingbackClosure: RingbackInvoke>(
                context: *mut ::core::ffi::c_void,
                $($inner: $ty,)*
                $(out: *mut $output,)?
                error: *mut $crate::abi::RbError
            ) -> i32 {
                // SAFETY: the caller's promise.
                unsafe {
                    $crate::__private::enter::<$name, RingbackClosure, RingbackOutput>(
                        context,
                        $crate::__callback_out!($($crate::__callback_where!($output, out))?),
                        error,
                        |closure| closure.ringback_invoke($($inner),*),
                    )
                }
            }

            /// # Safety
            /// As the ABI says; `context` is the function given to `of_function`.
            #[allow(improper_ctypes_definitions)] // the struct is warned of
            unsafe extern "C" fn ringback_function<$($lifetime),*>(
                context: *mut ::core::ffi::c_void,
                $($inner: $ty,)*
                $(out: *mut $output,)?
                _error: *mut $crate::abi::RbError
            ) -> i32 {
                // SAFETY: the promises of the caller and of `of_function`'s.
                unsafe {
                    let function = ::core::mem::transmute::<
                        *mut ::core::ffi::c_void,
                        RingbackPointer,
                    >(context);
                    let answer: RingbackOutput = function($($inner),*);
                    $crate::__callback_out!($($crate::__callback_where!($output, out))?)
                        .write(answer);
                }
                $crate::abi::Status::OK.0
            }

            impl $name {
                /// A callback that calls the closure, on whichever thread the foreign side calls.
                ///
                /// The closure is dropped with the last reference, on the thread that releases it.
                /// If it panics, the caller gets the status and text of that, as an exception where
                /// its language has those.
                pub fn new<RingbackClosure>(closure: RingbackClosure) -> Self
                where
                    RingbackClosure: for<$($lifetime),*> ::core::ops::Fn($($ty),*) -> RingbackOutput
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    Self::ringback_made($crate::__private::Plain(closure))
                }

                /// As `new`, for a closure that may answer an error: the caller sees its text.
                pub fn fallible<RingbackClosure>(closure: RingbackClosure) -> Self
                where
                    RingbackClosure: for<$($lifetime),*> ::core::ops::Fn($($ty),*) -> RingbackResult
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    Self::ringback_made($crate::__private::Fallible(closure))
                }

                /// A callback that queues a message for an async listener, as
                /// `Pool::register_async` does.
                ///
                /// The future delivers, in order, wherever it is polled. It ends with the final
                /// counts when the last reference is released and everything queued is delivered.
                pub fn new_async<RingbackTake, RingbackMessage, RingbackListener>(
                    mailbox: $crate::Mailbox<RingbackMessage, RingbackResult>,
                    take: RingbackTake,
                    listener: RingbackListener,
                ) -> (
                    Self,
                    impl ::core::future::Future<Output = $crate::Counts>,
                )
                where
                    RingbackTake: for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                            -> $crate::Take<RingbackMessage, RingbackResult>
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                    RingbackMessage: ::core::marker::Send + 'static,
                    RingbackListener: ::core::ops::AsyncFnMut(RingbackMessage),
                    // `for`: may be false, see rust#48214
                    for<'ringback> RingbackOutput:
                        ::core::clone::Clone + ::core::marker::Send + ::core::marker::Sync,
                {
                    let (inlet, deliver) = $crate::__private::open_mailbox::<$name, _, _, _, _>(
                        mailbox, take, listener,
                    );
                    let callback = Self::fallible(move |$($inner),*| {
                        inlet.answer(|take| take($($inner),*))
                    });
                    (callback, deliver)
                }

                /// A callback that calls a plain C function, which lives for ever.
                ///
                /// # Safety
                /// The function may be called with any arguments of these types, from any thread.
                pub unsafe fn of_function(
                    function: RingbackPointer
                ) -> Self {
                    $name {
                        size: $crate::abi::RbCallback::SIZE,
                        abi: $crate::abi::VERSION,
                        call: ::core::option::Option::Some(ringback_function),
                        context: function as *mut ::core::ffi::c_void,
                        retain: ::core::option::Option::None,
                        release: ::core::option::Option::None,
                    }
                }

                fn ringback_made<RingbackClosure>(closure: RingbackClosure) -> Self
                where
                    RingbackClosure: RingbackInvoke + ::core::marker::Send + ::core::marker::Sync
                        + 'static,
                {
                    $name {
                        size: $crate::abi::RbCallback::SIZE,
                        abi: $crate::abi::VERSION,
                        call: ::core::option::Option::Some(ringback_call::<RingbackClosure>),
                        context: $crate::__private::make(closure),
                        retain: ::core::option::Option::Some(
                            $crate::__private::retain::<RingbackClosure>,
                        ),
                        release: ::core::option::Option::Some(
                            $crate::__private::release::<$name, RingbackClosure>,
                        ),
                    }
                }
            }
        };
    };
}
