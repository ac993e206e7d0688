// SPDX-License-Identifier: MIT OR Apache-2.0

//! Safe callbacks between Rust and C, C++ and C#.
//!
//! A C library that wants a bare function pointer and offers **no user data** gives a Rust closure
//! nothing to hang on. A *pool* has the C functions already, compiled in; it lends one to each
//! listener and takes it back with proof that nobody is inside.
//!
//! ```
//! ringback::callback_pool! {
//!     /// Called for every message.
//!     pub static ON_MESSAGE: Pool<unsafe extern "C" fn(message: &Message, length: usize) -> i32, 5000>;
//!     fallback = -1;
//! }
//! #[repr(C)]
//! pub struct Message {
//!     id: u16,
//! }
//!
//! let offset = 40;
//! let registration = ON_MESSAGE.register(move |message, length| {
//!     i32::from(message.id) + offset + length as i32
//! })?;
//! // What a C library would do:
//! let function = registration.as_fn();
//! assert_eq!(unsafe { function(&Message { id: 1 }, 1) }, 42);
//!
//! registration.unregister()?; // Ok: no call is inside, none can come in
//! assert_eq!(unsafe { function(&Message { id: 1 }, 1) }, -1); // a stale call: the fallback
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the C library does take a user-data pointer, a pool is not needed: see [`UserData`]. Where the
//! other side is your own C, C++ or C#, see [`callback_type!`].
//!
//! # Words
//! * **Inbound**: a foreign call comes in. **Outbound**: a Rust call goes out.
//! * **Pool**: the C functions compiled in for one signature. **Thunk**: one of them. **Slot**: what a thunk
//!   leads to now.
//! * **Registration**: the guard that owns a slot. **Listener**: the Rust closure or async fn.
//! * **Mailbox**: the bounded, ordered queue of one async listener.
//! * **Stale call**: one that arrives after the registration ended. **Fallback**: what a stale call, or one
//!   of an empty slot, is answered.
//! * **Quiet**: no call is inside and none can enter. **Quarantine**: where a quiet slot waits until you
//!   say that the foreign side has forgotten its pointer.
//! * **Callback**: the counted struct that crosses languages. **Token**: what a copied `std::function`
//!   carries, so that its last copy is noticed.
//! * **Hook**: an async fn made storable as a plain function pointer.
//!
//! # Which thread runs what
//! A listener runs on the thread that calls the C function. Its destructor runs on the thread that
//! retires it, or, if calls were inside then, on the last of them to leave, or on a thread that leaves the
//! same slot, comes too late to it or waits for it just then; so do the wakers of those who wait. No lock of
//! ringback is held while either runs. That thread frees the listener's memory too: where a call must not
//! do that, see [`Pool::register_static`].
//!
//! # Promises
//! See [`promises`].
//!
//! # Features
//! Each only adds: nothing that works without a feature changes or goes with it.
//!
//! | feature | brings | depends on |
//! |---|---|---|
//! | `std`, by default | threads: recorded calls, waiting, async listeners, callbacks out | `libc` |
//! | `hook` | [`macro@hook`], [`hook!`](hook::hook!), [`StackFuture`] | `syn`, at build time |
//! | `histogram` | [`Mailbox::measure_wait`], [`AsyncRegistration::wait_times`] | `hdrhistogram` |
//! | `stream` | [`Messages`] is a `Stream` | `futures-core` |
//! | `tokio` | [`Pool::spawn_async`] | `tokio`, its `rt` |
//! | `tracing` | panics, stale calls and refused barriers as `tracing` events | `tracing` |
//!
//! All but `std` need `std` and switch it on.
//!
//! # Without `std`
//! With `default-features = false` the crate needs `alloc` alone. Calls are then counted in their
//! slots, nothing waits or blocks (quiet is polled for: [`Retired::try_wait`], or awaited), a panic ends
//! the program, and there are no thread-bound, scoped or async listeners and no callbacks out.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(ringback_loom))))] // what an item needs
#![cfg_attr(ringback_loom, allow(dead_code, unused_imports))] // a model has the state machine only
#![cfg_attr(any(not(unix), miri), allow(dead_code))] // what a fork needs

extern crate alloc;

#[macro_use]
mod sync;

mod boundary;
#[cfg(all(feature = "std", not(ringback_loom)))]
mod future_slot;
#[cfg(all(feature = "hook", not(ringback_loom)))]
pub mod hook;
mod inbound;
#[cfg(not(ringback_loom))]
mod observer;
#[cfg(feature = "std")]
mod outbound;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub mod promises;

#[cfg(all(feature = "hook", not(ringback_loom)))]
pub use self::hook::stack::{LocalStackFuture, StackFuture};
#[cfg(all(feature = "histogram", not(ringback_loom)))]
pub use self::inbound::mailbox::WaitTimes;
#[cfg(all(feature = "std", not(ringback_loom)))]
pub use self::{
    future_slot::{FutureSlot, LocalSlotFuture, SlotFuture},
    inbound::{
        asynchronous::AsyncListener,
        barrier::{InitError, Protection, init, protection},
        mailbox::{
            AsyncRegistration, Batch, Counts, Drain, Drained, Feed, Mailbox, Messages, NotDrained,
            OverflowPolicy, StallWatch, Stalled, Take,
        },
        scope::{Scope, Scoped},
        thread::{BYTES_PER_THREAD, attach_thread, reserve_threads},
    },
    outbound::{
        abi,
        callback::{Callback, CallbackType, Release, WeakCallback},
        error::{ForeignError, NotAdopted},
        task::{BoxedTask, ForeignFuture},
        tracked::{Tracked, TrackedRetired, WaitForgotten},
        user_data::{Nth, UserData, UserDataPool},
    },
};
#[cfg(not(ringback_loom))]
pub use self::{
    inbound::{
        core::{Reuse, SlotState},
        describe::{Description, Whose, describe, stop_on_stale_calls},
        pool::Pool,
        registration::{Handle, Local, Registration, Reserved, Shared},
        report::{AlreadyRetired, Census, Full, NotQuarantined, Stats},
        retired::{Pending, Quiet, Retired, WaitQuiet},
        retired_all::{PendingAll, RetiredAll, WaitAllQuiet, retire_all},
        signature::{AnyBits, Signature},
        slot::BYTES_PER_SLOT,
    },
    observer::{Event, Observer, set_observer},
};

/// Turns an `async fn` into a plain function that returns a boxed future, so that a library can store
/// it.
///
/// This is not function detouring: nothing is patched, no call is intercepted.
///
/// ```
/// use ringback::{Mailbox, Take, hook};
/// use std::{future::Future, pin::Pin};
/// # struct Context { answer: usize }
/// # struct Message { text: String }
///
/// type Handler = for<'a> fn(&'a Context, &'a Message) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;
///
/// #[hook]
/// async fn length(context: &Context, message: &Message) -> usize {
///     std::future::ready(()).await;
///     context.answer + message.text.len()
/// }
///
/// let table: [Handler; 1] = [length];
/// # futures_executor::block_on(async {
/// let (context, message) = (Context { answer: 40 }, Message { text: "ab".into() });
/// assert_eq!(table[0](&context, &message).await, 42);
/// # });
/// ```
///
/// On a pool, a hook is an async listener as it is:
///
/// ```
/// # use ringback::{Mailbox, Take, hook};
/// ringback::callback_pool! {
///     static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 100>;
///     fallback = -1;
/// }
///
/// #[hook]
/// async fn print(value: u64) {
///     println!("{value}");
/// }
/// # futures_executor::block_on(async {
/// let take = |value| Take::Accept(value, 0);
/// let (registration, deliver) = ON_VALUE.register_async(Mailbox::bounded(16), take, print)?;
/// assert_eq!((registration.as_fn())(7), 0);
/// let (_, drained) = futures_util::join!(deliver, registration.drain());
/// assert_eq!(drained?.counts.completed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// It takes the signatures that a plain `async fn` takes, and behaves as that does: values, drop order,
/// cancellation; the guide's page `hook-rules.md` lists where it differs. All elided lifetimes of the arguments become
/// one, `'__hook`, which is the future's: so the function coerces to `for<'a> fn(..)`. Those with several
/// named lifetimes, or with a `T` by value that is not `T: 'static`, can be called but not stored.
///
/// # Options
/// * `#[hook(?Send)]`: the future may stay on its thread. `#[hook(Sync)]`: it is `Sync` too.
/// * `#[hook(slot)]` or `#[hook(slot = name)]`: a second function, `.._slot`, which takes a
///   [`FutureSlot`] (first, or after `self`) and returns a [`SlotFuture`]; it allocates when it is first
///   called, and when a future does not fit.
/// * `#[hook(stack = 256)]`: returns a [`StackFuture`], which keeps the future in so many bytes of
///   itself, or on the heap if it does not fit.
/// * `#[hook(crate = path)]`: where ringback is found, if not at `::ringback`.
///
/// For closures see [`hook!`](hook::hook!).
#[cfg(all(feature = "hook", not(ringback_loom)))]
pub use ringback_hook::hook;

/// Declares a pool of C functions.
///
/// ```
/// ringback::callback_pool! {
///     /// What the library reports.
///     pub static ON_EVENT: Pool<unsafe extern "C" fn(code: i32, text: *const u8) -> i32, 100>;
///     fallback = -1;                      // what a call without a listener is answered
///     on_panic = -2;                      // .. a listener that panicked: the fallback
///     on_busy = -3;                       // .. an `FnMut` listener that is taken: the fallback
///     on_wrong_thread = -4;               // .. a thread-bound one from elsewhere: the fallback
///     reuse = after_confirmation;         // or never, oldest_first
///     protection = auto;                  // or counter
///     count_calls = false;                // true: one atomic addition per call
///     // export = "on_event_{}";           // the functions' names for the linker: on_event_0, ..
/// }
/// ```
/// All options but `fallback` have the default described here, and `fallback` may be left out where
/// the functions return `()`.
///
/// * The type is `[unsafe] extern "C" | "system" | "C-unwind" | "system-unwind" fn(..) -> ..` with
///   any number of arguments, which may borrow; or the name of such a type (all but
///   `"system-unwind"`), or of an `Option` of one as bindgen writes it, with up to 16 arguments,
///   which then borrow nothing.
/// * A safe `extern "C" fn` takes integers, floats and raw pointers only ([`AnyBits`]): any caller
///   may pass anything. References, `bool` and enums trust the C caller, so they need `unsafe`.
///   Of a type that is given by its name this is not checked.
/// * The number of slots is any constant expression, braced if it is more than a literal or a path.
/// * `on_panic = abort` ends the process after reporting; `on_panic = propagate` lets the panic
///   unwind into the caller, for `"C-unwind"` and `"system-unwind"` only. Neither is for async listeners,
///   whose caller has its answer by then: their mailbox counts panics ([`Counts`]) and goes on or ends.
/// * `on_busy = wait(duration, value)` waits at most so long for an `FnMut` listener, except where
///   the call comes from inside that listener on the same thread.
/// * `protection = counter` counts calls in the slot instead of recording them per thread: slower,
///   but right for fibers that migrate between threads in the middle of a call (what such a thread is inside of
///   is then not known for certain: wait with a time limit there); and retiring interrupts no
///   thread and makes no system call, whatever the process's [`Protection`] is.
/// * `export = "on_event_{}"` gives each function a name, so that foreign code which is linked into the
///   same program can refer to it without being given a pointer: `extern int32_t on_event_7(..);`. The
///   names are global: two pools must not share one. It needs the assembler table. In a shared library
///   the names do not leave it, since rustc exports Rust's own only.
/// * Attributes: `cfg` decides about all that the pool expands to, lint levels hold for all of it,
///   documentation and everything else is the static's. Arguments take documentation only.
/// * A crate with `#![forbid(unsafe_code)]` can declare pools of any kind, since the unsafe code in
///   the expansion is ringback's; it can only not call a function that is unsafe to call.
///
/// The pool is a static of type [`Pool`]; its signature is a type with the same name, as in
/// `Registration<ON_EVENT>`.
#[macro_export]
macro_rules! callback_pool {
    ($($declaration:tt)*) => {
        $crate::__private::parse_pool! { [$crate] $($declaration)* }
    };
}

/// Declares a callback with user data, as a struct that crosses to C, C++ and C#.
///
/// ```
/// ringback::callback_type! {
///     /// Told whether the door is open.
///     pub struct OnDoor: fn(open: bool) -> i32
/// }
///
/// #[unsafe(no_mangle)]
/// pub extern "C" fn door_watch(on_door: OnDoor) -> i32 {
///     let Ok(on_door) = on_door.adopt() else { return -1 }; // malformed, says the error
///     match on_door.call(true) {
///         Ok(answer) => answer,
///         Err(exception) => { eprintln!("{exception}"); -2 }
///     }
/// } // the last clone is dropped: the foreign side is released
///
/// // A Rust closure as such a struct:
/// let door = OnDoor::new(|open| if open { 1 } else { 0 });
/// assert_eq!(door_watch(door), 1);
/// ```
/// The struct has the layout of [`abi::RbCallback`], owns one reference, and gives it back when it is
/// dropped. It is not generic, so cbindgen, bindgen and csbindgen understand functions that take it.
///
/// | function | makes |
/// |---|---|
/// | `adopt(self)` | a [`Callback`], to be called from Rust: `callback.call(arguments..)` |
/// | `new(closure)` | the struct of a Rust closure |
/// | `fallible(closure)` | .. that answers `Result<_, ForeignError>` |
/// | `new_async(mailbox, take, listener)` | .. of an async listener, and the future that delivers |
/// | `of_function(function)` | .. of a plain C function |
/// | `into_raw`, `from_raw` | plain data, and back |
///
/// * `fn(arguments) -> result` takes any types that C can carry; they may borrow, also with named
///   lifetimes (`for<'a> fn(&'a A, &'a B)`). The result does not borrow, as for a pool.
/// * `async fn(arguments) -> result` declares an async callback; see [`abi::RbTask`].
/// * Of attributes it takes documentation, `cfg`, lint levels, `deprecated` and `must_use`, as
///   [`callback_pool!`] does.
/// * The struct's fields are private to the module that declares it; writing to them there is as
///   unsafe as `from_raw`.
#[cfg(feature = "std")]
#[macro_export]
macro_rules! callback_type {
    ($($declaration:tt)*) => {
        $crate::__private::parse_callback! { [$crate] $($declaration)* }
    };
}

/// What pools and [`UserData`] ask of types: named in bounds and messages, and by generic code.
///
/// A closure that fits a pool or a C function has these traits by itself. One is there to be implemented,
/// [`Scalar`](signature::Scalar): a signature of such types is served by the assembler table.
#[cfg(not(ringback_loom))]
pub mod signature {
    pub use crate::inbound::pointer::FnPointer;
    #[cfg(feature = "std")]
    pub use crate::inbound::signature::AcceptsTake;
    pub use crate::inbound::signature::{Accepts, AcceptsMut, AcceptsOnce, Passing, Scalar};
    #[cfg(feature = "std")]
    pub use crate::outbound::user_data::{Carries, DataPointer, Finds, LastPlace};
}

/// What the macros expand to. Not part of the API.
#[cfg(not(ringback_loom))]
#[doc(hidden)]
pub mod __private {
    pub use crate::inbound::{
        dispatch::dispatch,
        listener::{exclusive, once, shared},
        pointer::{
            Body, Candidate, Checked, FUNCTION_POINTER, FnPointer, NeedsNoFallback, NoRegister,
            OfPointer, Shape, ShapeAccepts, ShapeAcceptsMut, ShapeAcceptsOnce, ShapeThunk, Unfit,
        },
        signature::{
            Accepts, AcceptsMut, AcceptsOnce, PanicPolicy, Probe, Unknown, assert_any_bits,
            free_register,
        },
        slot::Slot,
        thunk::{Generate, Index, Table, Thunk, first_thunk, generated, no_export},
    };
    #[cfg(feature = "std")]
    pub use crate::inbound::{
        mailbox::inlet::inlet, pointer::ShapeAcceptsTake, signature::AcceptsTake,
    };
    #[cfg(feature = "std")]
    pub use crate::outbound::{
        callback::{Answer, release_unadopted},
        made::{Fallible, Plain, enter, make, release, retain},
        queued::open_mailbox,
        task::{Spawn, Spawning, assert_plain_result, completion, start, tell},
    };
    pub use crate::sync::AtomicU64;
    pub use ringback_macros::{parse_callback, parse_pool};
    #[cfg(feature = "hook")]
    pub use {
        crate::hook::{Expected, Returns},
        ringback_hook::hook_closure,
        std::boxed::Box,
    };

    /// The fallback of a pool that declares none.
    pub fn unit_answer<T: NeedsNoFallback>() -> T {
        T::answer()
    }
}
