// SPDX-License-Identifier: MIT OR Apache-2.0

//! The pool as a program sees it: registering, looking up, confirming.

use super::core::{Core, Reuse};
use super::listener::{Exclusive, Once};
#[cfg(feature = "std")]
use super::registration::Local;
use super::registration::{Handle, Registration, Reserved};
use super::report::{Census, Full, NotQuarantined};
#[cfg(feature = "std")]
use super::scope::Scope;
use super::signature::{Accepts, AcceptsMut, AcceptsOnce, Signature};
use super::slot::{Erased, Slot};
use super::thunk::Table;
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::transmute_copy;
use core::panic::Location;

/// A pool of C functions, declared by [`callback_pool!`](crate::callback_pool).
///
/// Everything a program does with it starts here; the table below names the methods that take a
/// listener.
///
/// | method | listener | called |
/// |---|---|---|
/// | [`register`](Self::register) | `Fn + Send + Sync` | by any number of threads at once |
/// | [`register_mut`](Self::register_mut) | `FnMut + Send` | by one at a time; others get `on_busy` |
/// | [`register_once`](Self::register_once) | `FnOnce + Send` | once; then the slot is retired |
/// | [`register_local`](Self::register_local) | `Fn` | by the registering thread; others get `on_wrong_thread` |
/// | [`register_static`](Self::register_static) | `&'static Fn + Sync` | as `register`, without allocation |
/// | [`register_with`](Self::register_with) | made from its own [`Handle`] | as `register` |
/// | [`reserve`](Self::reserve) | bound later | after [`Reserved::bind`] |
/// | [`scope`](Self::scope) | borrows from the stack | until the scope ends |
///
/// ```
/// ringback::callback_pool! {
///     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
///     fallback = -1;
/// }
/// let mut seen = Vec::new();
/// let counts = ON_LINE.register_mut(move |number| {
///     seen.push(number);
///     seen.len() as i32
/// })?;
/// let doubles = ON_LINE.register(|number| 2 * number as i32)?;
/// // What a C library would call:
/// let (count, double) = (counts.as_fn(), doubles.as_fn());
/// assert_eq!([count(7), count(8), double(21)], [1, 2, 42]);
/// assert_eq!(ON_LINE.stats().census.live, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pool<S: Signature> {
    pub(crate) core: Core,
    signature: PhantomData<fn() -> S>,
}

impl<S: Signature> Pool<S> {
    /// Called by `callback_pool!`.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        slots: &'static [Slot],
        table: Table,
        reuse: Reuse,
    ) -> Self {
        Pool {
            core: Core::new(name, slots, table, S::calls, reuse, S::ALWAYS_COUNTED),
            signature: PhantomData,
        }
    }

    /// The pool's name with its module path, as it appears in errors and events.
    #[must_use]
    pub fn name(&'static self) -> &'static str {
        self.core.name
    }

    /// How many C functions the pool has.
    #[must_use]
    pub fn slots(&'static self) -> usize {
        self.core.slots.len()
    }

    /// The C function of this slot, whatever is registered there; `None` beyond the last slot, and for
    /// [`UserDataPool`](crate::UserDataPool), which has none.
    ///
    /// One slot has one address in the whole program. Calling it is always defined: without a
    /// listener it answers the fallback.
    #[must_use]
    pub fn thunk(&'static self, slot: usize) -> Option<S::Pointer> {
        (slot < self.slots() && const { !S::TABLE.is_none() }).then(|| {
            const { assert!(size_of::<S::Pointer>() == size_of::<*const ()>()) };
            let address = self.core.lend(slot);
            // SAFETY: `Pointer` is a function pointer (or an `Option` of one) of the signature that
            // the table's functions have; the declaration made both from the same text.
            unsafe { transmute_copy(&address) }
        })
    }

    /// The slot that `pointer` belongs to; `None` if it is not one of this pool's functions.
    #[must_use]
    pub fn lookup(&'static self, pointer: S::Pointer) -> Option<usize> {
        // SAFETY: `thunk` asserts that a `Pointer` is as large as a pointer.
        let address: *const () = unsafe { transmute_copy(&pointer) };
        self.core.lookup(address)
    }

    /// Says that the foreign side holds no copy of this pointer any more, so that its slot may be
    /// used again. For slots whose guard was dropped rather than waited for; the usual way is
    /// [`Quiet::confirm_forgotten`](crate::Quiet::confirm_forgotten).
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// let registration = ON_LINE.register(|number| number as i32)?;
    /// let c_function = registration.as_fn();
    /// let error = ON_LINE.confirm_forgotten(c_function).unwrap_err();
    /// assert_eq!(error.to_string(), "a listener is registered in the slot: retire it first");
    /// drop(registration);
    /// ON_LINE.confirm_forgotten(c_function)?; // the C library keeps no copy: use the slot again
    /// assert_eq!(ON_LINE.stats().census.free, 16);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NotQuarantined`] says where the slot stands instead, and what helps.
    pub fn confirm_forgotten(&'static self, pointer: S::Pointer) -> Result<(), NotQuarantined> {
        let index = self.lookup(pointer).ok_or(NotQuarantined { state: None })?;
        self.core.release_quarantined(index).map_err(|state| NotQuarantined { state: Some(state) })
    }

    fn full<L>(&'static self, listener: L) -> Full<L> {
        Full { listener, census: Box::new(Census::take(&self.core)) }
    }

    pub(crate) fn erase<F>(listener: F) -> Erased
    where
        S: Accepts<F>,
    {
        Erased::boxed(listener, Self::untyped(S::CALL))
    }

    pub(crate) fn erase_mut<F>(listener: F) -> Erased
    where
        S: AcceptsMut<F>,
    {
        Erased::boxed(Exclusive::new(listener), Self::untyped(S::CALL))
    }

    pub(crate) fn erase_once<F>(listener: F, me: Handle) -> Erased
    where
        S: AcceptsOnce<F>,
    {
        Erased::boxed(Once::new(listener, me), Self::untyped(S::CALL))
    }

    pub(crate) fn untyped(call: S::Call) -> unsafe fn() {
        const { assert!(size_of::<S::Call>() == size_of::<unsafe fn()>()) };
        // SAFETY: `Call` is a function pointer (contract of `Signature`); `dispatch` undoes this.
        unsafe { transmute_copy(&call) }
    }

    /// Registers a listener that any number of threads may call at once.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[track_caller]
    pub fn register<F>(&'static self, listener: F) -> Result<Registration<S>, Full<F>>
    where
        S: Accepts<F>,
        F: Send + Sync + 'static,
    {
        match self.core.take_slot(Location::caller()) {
            // SAFETY: the slot is new; `F` is `Send + Sync + 'static` and fits (`Accepts`).
            Some(index) => Ok(unsafe { self.registered(index, Self::erase(listener)) }),
            None => Err(self.full(listener)),
        }
    }

    /// # Safety
    /// As for `Core::open`, with `bound` false.
    pub(crate) unsafe fn registered(
        &'static self,
        index: usize,
        erased: Erased,
    ) -> Registration<S> {
        // SAFETY: the caller's promise.
        Registration::new(unsafe { self.core.open(index, erased, false) })
    }

    /// Registers a listener with state of its own: one thread at a time is inside.
    ///
    /// A call that finds it taken (by another thread, or by itself further up the stack) gets the
    /// pool's `on_busy` answer, after waiting if the pool says `on_busy = wait(..)`.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[track_caller]
    pub fn register_mut<F>(&'static self, listener: F) -> Result<Registration<S>, Full<F>>
    where
        S: AcceptsMut<F>,
        F: Send + 'static,
    {
        match self.core.take_slot(Location::caller()) {
            // SAFETY: the slot is new; `Exclusive<F>` is shared soundly for `F: Send`.
            Some(index) => Ok(unsafe { self.registered(index, Self::erase_mut(listener)) }),
            None => Err(self.full(listener)),
        }
    }

    /// Registers a listener that is called once. That call retires the registration from inside;
    /// later calls through the pointer are stale ones.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[track_caller]
    pub fn register_once<F>(&'static self, listener: F) -> Result<Registration<S>, Full<F>>
    where
        S: AcceptsOnce<F>,
        F: Send + 'static,
    {
        match self.take() {
            Ok(reserved) => Ok(reserved.bind_once(listener)),
            Err(Full { census, .. }) => Err(Full { listener, census }),
        }
    }

    /// Registers a listener that stays on this thread: it need be neither `Send` nor `Sync`.
    ///
    /// Calls from other threads get the pool's `on_wrong_thread` answer and never touch it. The
    /// guard is bound to this thread too, so that the listener is dropped here.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn register_local<F>(&'static self, listener: F) -> Result<Registration<S, Local>, Full<F>>
    where
        S: Accepts<F>,
        F: 'static,
    {
        match self.core.take_slot(Location::caller()) {
            Some(index) => {
                // SAFETY: the slot is new and bound to this thread, and so is the guard.
                let lease = unsafe { self.core.open(index, Self::erase(listener), true) };
                Ok(Registration::new(lease))
            }
            None => Err(self.full(listener)),
        }
    }

    /// Registers a listener that lives for ever, by reference: nothing is allocated, and when it is
    /// retired nothing is dropped, whichever thread leaves it last, and nothing freed but the few bytes by which
    /// somebody waits for that, if somebody does.
    ///
    /// Dropping the guard retires it all the same: keep the guard for as long as it is to be called.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// static DOUBLE: fn(u32) -> i32 = |number| 2 * number as i32;
    /// let registration = ON_LINE.register_static(&DOUBLE)?;
    /// let c_function = registration.as_fn();
    /// assert_eq!(c_function(21), 42);
    /// drop(registration);
    /// assert_eq!(c_function(21), -1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives the reference back and says who holds the slots.
    #[track_caller]
    pub fn register_static<F>(
        &'static self,
        listener: &'static F,
    ) -> Result<Registration<S>, Full<&'static F>>
    where
        S: Accepts<F>,
        F: Sync + 'static,
    {
        match self.core.take_slot(Location::caller()) {
            Some(index) => {
                let erased = Erased::borrowed(listener, Self::untyped(S::CALL));
                // SAFETY: the slot is new; `&'static F` may be used anywhere since `F: Sync`.
                Ok(unsafe { self.registered(index, erased) })
            }
            None => Err(self.full(listener)),
        }
    }

    /// Registers a listener that knows its own registration and can retire it:
    /// `register_with(|me| move |..| { me.retire(); .. })`.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// let registration = ON_LINE.register_with(|me| {
    ///     move |number| {
    ///         me.retire(); // this call goes on to its end
    ///         number as i32
    ///     }
    /// })?;
    /// let c_function = registration.as_fn();
    /// assert_eq!([c_function(5), c_function(6)], [5, -1]); // the second call is a stale one
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] gives `make` back, which then has not been called.
    ///
    /// # Panics
    /// Passes a panic of `make` on; the slot is given back.
    #[track_caller]
    pub fn register_with<F, M>(&'static self, make: M) -> Result<Registration<S>, Full<M>>
    where
        M: FnOnce(Handle) -> F,
        S: Accepts<F>,
        F: Send + Sync + 'static,
    {
        match self.reserve() {
            Ok(slot) => {
                let listener = make(slot.handle());
                Ok(slot.bind(listener))
            }
            Err(Full { census, .. }) => Err(Full { listener: make, census }),
        }
    }

    /// Takes a slot whose pointer is needed before its listener exists.
    ///
    /// Until [`Reserved::bind`], calls through the pointer are stale ones.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// let slot = ON_LINE.reserve()?;
    /// let c_function = slot.as_fn(); // say, for a C library that answers with a handle
    /// let handle = 40;
    /// assert_eq!(c_function(2), -1);
    /// let registration = slot.bind(move |number| handle + number as i32);
    /// assert_eq!(c_function(2), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Full`] says who holds the slots.
    #[track_caller]
    pub fn reserve(&'static self) -> Result<Reserved<S>, Full<()>> {
        const { assert!(!S::TABLE.is_none(), "a pool without functions has none to reserve") };
        self.take()
    }

    #[track_caller]
    pub(crate) fn take(&'static self) -> Result<Reserved<S>, Full<()>> {
        match self.core.take_slot(Location::caller()) {
            Some(index) => Ok(Reserved::new(index)),
            None => Err(self.full(())),
        }
    }

    /// Lends out listeners that borrow from the caller's stack.
    ///
    /// When `body` returns or panics, everything registered in the scope is retired, and `scope`
    /// returns only when no call is inside any more. Leaking a guard cannot defeat that: the scope
    /// itself holds the registrations.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// let sum = AtomicU32::new(0);
    /// ON_LINE.scope(|scope| {
    ///     let add = scope.register(|number| sum.fetch_add(number, Relaxed) as i32);
    ///     let add = add.map_err(|full| full.to_string())?;
    ///     add.confirm_forgotten(); // the C function below keeps no copy of the pointer
    ///     let c_function = add.as_fn();
    ///     c_function(40);
    ///     c_function(2);
    ///     Ok::<(), String>(())
    /// })?;
    /// assert_eq!(sum.into_inner(), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Blocking
    /// The end of the scope waits as long as a call is inside, and for ever if that call waits for
    /// this thread, or if a sandbox installed meanwhile forbids `membarrier(2)` (choose
    /// [`Protection::Fence`](crate::Protection::Fence) with [`init`](crate::init) then).
    #[cfg(feature = "std")]
    pub fn scope<'env, T>(
        &'static self,
        body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env, S>) -> T,
    ) -> T {
        Scope::run(self, body)
    }
}
