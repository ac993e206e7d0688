// SPDX-License-Identifier: MIT OR Apache-2.0

//! What `callback_type!` expands to for `async fn(..) -> ..`: two structs, the callback's and the
//! completion's.

/// A callback type of `async fn(..) -> ..`.
#[doc(hidden)]
#[macro_export]
macro_rules! __async_callback {
    (
        item [$($item:tt)*] shared [$($shared:tt)*] vis [$($vis:tt)*] $name:ident done [$done:ident]
        arguments [$($arguments:tt)*] output []
    ) => {
        $crate::__async_callback! { @
            item [$($item)*] shared [$($shared)*] vis [$($vis)*] $name done [$done]
            arguments [$($arguments)*] output [()] value [::core::ffi::c_void]
        }
    };
    (
        item [$($item:tt)*] shared [$($shared:tt)*] vis [$($vis:tt)*] $name:ident done [$done:ident]
        arguments [$($arguments:tt)*] output [$output:ty]
    ) => {
        $crate::__async_callback! { @
            item [$($item)*] shared [$($shared)*] vis [$($vis)*] $name done [$done]
            arguments [$($arguments)*] output [$output] value [$output]
        }
    };
    (@
        item [$($item:tt)*] shared [$(#[$shared:meta])*] vis [$($vis:tt)*] $name:ident
        done [$done:ident] arguments [$($argument:ident $inner:ident: $ty:ty;)*] output [$output:ty]
        value [$value:ty]
    ) => {
        $crate::__callback_struct! {
            item [$($item)*] shared [$(#[$shared])*] vis [$($vis)*] $name
            call [
                unsafe extern "C" fn(
                    context: *mut ::core::ffi::c_void,
                    $($argument: $ty,)*
                    done: $done,
                    task: *mut $crate::abi::RbTask,
                    error: *mut $crate::abi::RbError
                ) -> i32
            ]
        }
        $crate::__callback! {
            item [
                #[doc = ::core::concat!("Receives the outcome of a [`", ::core::stringify!($name), "`].")]
                $(#[$shared])*
            ]
            shared [$(#[$shared])*] vis [$($vis)*] $done lifetimes []
            arguments [
                outcome outcome: i32;
                value value: *const $value;
                why why: *const $crate::abi::RbError;
            ]
            output []
        }

        $(#[$shared])*
        const _: () = {
            $crate::__private::assert_plain_result::<$output>();
            // What is elided in it has no name here, and so is an error.
            $(const _: () = { #[allow(dead_code)] type RingbackOwned = $ty; };)*
            type RingbackResult = ::core::result::Result<$output, $crate::ForeignError>;

            /// What an adopted callback can be asked.
            #[repr(transparent)]
            pub struct RingbackFunction($name);

            impl RingbackFunction {
                /// Starts the foreign task, on this thread.
                ///
                /// # Errors
                /// Of the future, `ForeignError`: the task could not be started, failed, was
                /// cancelled.
                #[allow(clippy::too_many_arguments)] // the signature is the user's
                pub fn call(&self, $($argument: $ty),*) -> $crate::ForeignFuture<$output> {
                    let (completer, future) = $crate::__private::completion::<$output>();
                    let done = $done::fallible(move |outcome, value, why| {
                        // SAFETY: the foreign side keeps the ABI.
                        unsafe { completer.complete(outcome, value.cast(), why) }
                    });
                    let mut task = $crate::abi::RbTask::NONE;
                    let mut error = $crate::abi::RbError::EMPTY;
                    // SAFETY: adopted, so `call` is set and keeps the ABI.
                    unsafe {
                        let status = self.0.call.unwrap_unchecked()(
                            self.0.context, $($argument,)* done, &raw mut task, &raw mut error,
                        );
                        future.started(status, task, error)
                    }
                }
            }

            /// # Safety
            /// As the ABI says; `context` is a `Callback` given away by `to_foreign`.
            #[allow(improper_ctypes_definitions)] // the struct is warned of
            unsafe extern "C" fn ringback_forward(
                context: *mut ::core::ffi::c_void,
                $($inner: $ty,)*
                done: $done,
                task: *mut $crate::abi::RbTask,
                error: *mut $crate::abi::RbError,
            ) -> i32 {
                // SAFETY: passed on as they came.
                unsafe {
                    let callback = $crate::Callback::<$name>::forwarded(context);
                    let to = &callback.0;
                    to.call.unwrap_unchecked()(to.context, $($inner,)* done, task, error)
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

            /// # Safety
            /// As the ABI says; `context` is that of a `Spawning` of these types.
            #[allow(improper_ctypes_definitions)] // the struct is warned of
            unsafe extern "C" fn ringback_call<RingbackSpawn, RingbackClosure, RingbackFuture>(
                context: *mut ::core::ffi::c_void,
                $($inner: $ty,)*
                done: $done,
                task: *mut $crate::abi::RbTask,
                error: *mut $crate::abi::RbError,
            ) -> i32
            where
                RingbackSpawn: ::core::ops::Fn($crate::BoxedTask),
                RingbackClosure: ::core::ops::Fn($($ty),*) -> RingbackFuture,
                RingbackFuture: ::core::future::Future<Output = RingbackResult>
                    + ::core::marker::Send + 'static,
            {
                // SAFETY: the caller's promise.
                unsafe {
                    $crate::__private::start::<
                        $name, $done, $crate::__private::Spawning<RingbackSpawn, RingbackClosure>, _, _,
                    >(
                        context, done, task, error,
                        |made| (made.closure)($($inner),*),
                        |done, outcome: RingbackResult| {
                            $crate::__private::tell(outcome, |status, value, why| {
                                done.call(status, value.cast(), why)
                            })
                        },
                    )
                }
            }

            impl $name {
                /// A callback that starts a task for each call.
                ///
                /// The closure runs on the calling thread and makes the future; `spawn` gives it to
                /// an executor. Tasks run side by side. A foreign caller that cancels drops the
                /// future and gets `CANCELLED`; so does the caller of one that is dropped by its
                /// executor. A panic arrives with its text.
                pub fn new<RingbackSpawn, RingbackClosure, RingbackFuture>(
                    spawn: RingbackSpawn,
                    closure: RingbackClosure,
                ) -> Self
                where
                    RingbackSpawn: ::core::ops::Fn($crate::BoxedTask)
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                    RingbackClosure: ::core::ops::Fn($($ty),*) -> RingbackFuture
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                    RingbackFuture: ::core::future::Future<Output = $output>
                        + ::core::marker::Send + 'static,
                {
                    Self::fallible(spawn, move |$($inner: $ty),*| {
                        let future = closure($($inner),*);
                        async move { ::core::result::Result::Ok(future.await) }
                    })
                }

                /// As `new`, for futures that may answer an error.
                pub fn fallible<RingbackSpawn, RingbackClosure, RingbackFuture>(
                    spawn: RingbackSpawn,
                    closure: RingbackClosure,
                ) -> Self
                where
                    RingbackSpawn: ::core::ops::Fn($crate::BoxedTask)
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                    RingbackClosure: ::core::ops::Fn($($ty),*) -> RingbackFuture
                        + ::core::marker::Send + ::core::marker::Sync + 'static,
                    RingbackFuture: ::core::future::Future<Output = RingbackResult>
                        + ::core::marker::Send + 'static,
                {
                    $name {
                        size: $crate::abi::RbCallback::SIZE,
                        abi: $crate::abi::VERSION,
                        call: ::core::option::Option::Some(
                            ringback_call::<RingbackSpawn, RingbackClosure, RingbackFuture>,
                        ),
                        context: $crate::__private::make(
                            $crate::__private::Spawning { spawn, closure },
                        ),
                        retain: ::core::option::Option::Some(
                            $crate::__private::retain::<
                                $crate::__private::Spawning<RingbackSpawn, RingbackClosure>,
                            >,
                        ),
                        release: ::core::option::Option::Some(
                            $crate::__private::release::<
                                $name,
                                $crate::__private::Spawning<RingbackSpawn, RingbackClosure>,
                            >,
                        ),
                    }
                }
            }
        };
    };
}
