// SPDX-License-Identifier: MIT OR Apache-2.0

//! Async closures that can be stored: [`hook!`](crate::hook::hook!). The attribute for functions is
//! [`#[ringback::hook]`](macro@crate::hook).
//!
//! This is **not** function detouring: nothing is patched, no call is intercepted. A hook is a function
//! or a closure of yours whose future is boxed, so that its type can be written down and a library can
//! keep it in a table.
//!
//! A macro and an attribute cannot share a name in one module, so the macro stands in this one. After
//! `use ringback::hook;` there are `#[hook]` and `hook::hook!`.

pub(crate) mod stack;

use std::future::Future;
use std::marker::PhantomData;

/// Turns an async closure into a plain one that returns a boxed future.
///
/// ```
/// use ringback::hook::hook;
/// use std::{future::Future, pin::Pin};
/// # #[derive(Debug)] struct Message { length: usize }
///
/// type Handler = for<'a> fn(&'a Message) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;
/// let handlers: [Handler; 2] = [
///     hook!(async |message| message.length),
///     hook!(async |_: &Message| 0),
/// ];
/// # futures_executor::block_on(async {
/// assert_eq!(handlers[0](&Message { length: 3 }).await, 3);
/// # });
/// ```
///
/// A closure whose arguments borrow must stand where its type is expected, as any closure. What it
/// captures is moved into each future: it is `Copy`, or the closure can be called once only. So each call
/// changes a copy of its own, unlike in a plain `async move` closure; share what is to be counted:
///
/// ```
/// # use ringback::hook::hook;
/// # use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// # futures_executor::block_on(async {
/// static CALLS: AtomicU32 = AtomicU32::new(0);
/// let mut copied = 0;
/// let count = hook!(async move || {
///     copied += 1;
///     (copied, CALLS.fetch_add(1, Relaxed) + 1)
/// });
/// assert_eq!([count().await, count().await], [(1, 1), (1, 2)]);
/// # });
/// ```
///
/// `hook!(?Send, async || ..)` and `hook!(Sync, async || ..)` change the future as they do for functions.
#[doc(inline)]
pub use crate::__hook as hook;

/// The result of a hook that returns `!`, so that it can be stored, too: `!` is no type on stable.
///
/// ```
/// use ringback::{hook, hook::Never};
/// use std::{future::Future, pin::Pin};
///
/// #[hook]
/// async fn serve(name: &str) -> ! {
///     loop {
///         std::future::ready(name).await;
///     }
/// }
///
/// let stored: for<'a> fn(&'a str) -> Pin<Box<dyn Future<Output = Never> + Send + 'a>> = serve;
/// # drop(stored("never polled"));
/// ```
pub type Never = <fn() -> ! as Returns>::Output;

/// What a function returns: the one way to write `!` as a type on stable.
#[doc(hidden)]
pub trait Returns {
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}

/// Takes the type of a future's result to the body that makes it, so that a closure there is given the
/// types of its arguments by `-> impl Fn(..)`. Invariant in `T`, as the compiler looks for a closure's
/// bounds at one and the same type, and a subtype would be another one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Expected<T>(PhantomData<fn(T) -> T>);

impl<T> Clone for Expected<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Expected<T> {}

impl<T> Expected<T> {
    #[allow(clippy::new_without_default, reason = "called by a macro only")]
    #[must_use]
    pub const fn new() -> Self {
        Expected(PhantomData)
    }

    /// None, of a future whose result is the `T`.
    #[must_use]
    pub const fn future<F: Future<Output = T>>(self) -> Option<F> {
        None
    }

    /// The result itself.
    pub fn is(self, result: T) -> T {
        result
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __hook {
    ($($closure:tt)*) => {
        $crate::__private::hook_closure! { [$crate] $($closure)* }
    };
}
