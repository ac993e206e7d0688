// SPDX-License-Identifier: MIT OR Apache-2.0

//! The guards of a listener in use; what comes after is in [`retired`](super::retired).
//!
//! ```text
//! Reserved --bind--> Registration --retire--> Retired --wait--> Quiet --confirm_forgotten--> (free)
//! ```

use super::core::{Core, Lease};
use super::listener::Exclusive;
#[cfg(feature = "std")]
use super::mailbox::inlet::Inlet;
use super::pool::Pool;
use super::report::AlreadyRetired;
use super::retired::Retired;
#[cfg(feature = "std")]
use super::retired::{Pending, Quiet};
#[cfg(feature = "std")]
use super::signature::AcceptsTake;
use super::signature::{Accepts, AcceptsMut, AcceptsOnce, Signature};
use super::slot::{Erased, Link};
use crate::sync::Ordering::*;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::panic::Location;

/// Marks guards of listeners that any thread may call and drop.
#[derive(Debug)]
pub struct Shared(());

/// Marks guards of thread-bound listeners: they stay on their thread.
#[derive(Debug)]
pub struct Local(PhantomData<*mut ()>);

/// A listener's place in a pool. Dropping it retires the listener without waiting.
///
/// Owner: the program. The listener itself is dropped by whichever thread leaves it last, or by the
/// one that retires it if no call is inside; for `Registration<S, Local>` that is always the
/// registering thread. That thread runs its destructor, frees its memory and wakes who waits. A listener
/// of [`register_static`](Pool::register_static) is not dropped, and nothing is freed.
///
/// ```
/// # ringback::callback_pool! {
/// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// use std::time::Duration;
/// let mut registration = ON_LINE.register(|number| number as i32)?;
/// let c_function = registration.as_fn();
///
/// let old = registration.replace(|number| 2 * number as i32)?; // the pointer stays the same
/// old.wait()?; // no call is inside the old listener, which has been dropped
/// assert_eq!(c_function(21), 42);
///
/// let retired = registration.retire(); // closed at once; does not wait
/// assert_eq!(c_function(21), -1);
/// match retired.wait_timeout(Duration::from_secs(1)) {
///     Ok(quiet) => quiet.confirm_forgotten(), // if the C library keeps no copy: use the slot again
///     Err(retired) => retired.detach(),       // the last call drops the listener
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a registration that is dropped retires its listener at once, and so does `let _ =`: keep it in a named variable"]
pub struct Registration<S: Signature, M = Shared> {
    lease: Lease,
    marker: PhantomData<(fn() -> S, M)>,
}

// SAFETY: the lease refers to static slots and to a header that is touched by atomics only; what
// may happen to the listener on another thread was demanded when it was registered (`Shared`).
unsafe impl<S: Signature> Send for Registration<S, Shared> {}
// SAFETY: as above; `&Registration` only reads.
unsafe impl<S: Signature> Sync for Registration<S, Shared> {}

impl<S: Signature, M> Registration<S, M> {
    pub(crate) fn new(lease: Lease) -> Self {
        Registration { lease, marker: PhantomData }
    }

    /// The C function that leads to this listener.
    ///
    /// It stays callable for ever; after the registration has ended it answers the fallback, or
    /// leads to whoever the pool's [`Reuse`](crate::Reuse) policy lets in.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // the index is the pool's own
    pub fn as_fn(&self) -> S::Pointer {
        S::pool().thunk(self.lease.index).expect("a registration's slot is in its pool")
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.lease.index
    }

    #[cfg(feature = "std")]
    pub(crate) fn handle(&self) -> Handle {
        Handle::new(self.lease.core, self.lease.index)
    }

    /// Closes the slot at once: no call enters the listener after this returns. Does not wait.
    #[track_caller]
    pub fn retire(self) -> Retired<S, M> {
        self.lease.retire(Some(Location::caller()));
        Retired::new(self.into_lease(), true)
    }

    pub(crate) fn into_lease(self) -> Lease {
        let lease = self.lease;
        mem::forget(self);
        lease
    }

    /// Retires and waits until no call is inside: after `Ok` the listener has been dropped.
    ///
    /// # Errors
    /// [`Pending`] says why waiting would be in vain, and carries the retired registration on.
    ///
    /// # Blocking
    /// As long as a call is inside. If that call waits for a lock that this thread holds, for ever:
    /// use [`retire`](Self::retire) and [`Retired::wait_timeout`] there.
    #[cfg(feature = "std")]
    #[track_caller]
    pub fn unregister(self) -> Result<Quiet<S, M>, Pending<S, M>> {
        self.retire().wait()
    }

    fn swap(
        &mut self,
        new: Erased,
        by: &'static Location<'static>,
    ) -> Result<Retired<S, M>, Erased> {
        let Lease { core, index, link: old } = self.lease;
        // SAFETY: this is the slot's registration, borrowed for itself alone.
        let header = unsafe { core.spares.prepare(index, core.slots.len(), new) };
        let link = Link::new(header, old.is_bound());
        core.pin(index);
        let slot = &core.slots[index];
        if !slot.unlink(old, Some(link)) {
            core.unpin(index);
            // SAFETY: prepared above and never published.
            return Err(unsafe { header.as_ref().take_erased() });
        }
        slot.holder.store(core::ptr::from_ref(by).cast_mut(), Relaxed);
        self.lease.link = link;
        core.prove(index, old);
        let lease = Lease { core, index, link: old };
        Ok(Retired::new(lease, false))
    }
}

impl<S: Signature> Registration<S, Shared> {
    /// Puts another listener in this one's place, under the same pointer: each call reaches one of
    /// the two, and none is lost. Returns the old one, retired.
    ///
    /// # Errors
    /// [`AlreadyRetired`] gives the new listener back if this one has retired itself meanwhile.
    #[track_caller]
    pub fn replace<F>(&mut self, listener: F) -> Result<Retired<S>, AlreadyRetired<F>>
    where
        S: Accepts<F>,
        F: Send + Sync + 'static,
    {
        self.swap(Pool::<S>::erase(listener), Location::caller())
            // SAFETY: erased from an `F` just above, and not published.
            .map_err(|erased| AlreadyRetired { listener: unsafe { erased.into_inner() } })
    }

    /// As [`replace`](Self::replace), by a listener with state of its own: one thread at a time is inside.
    ///
    /// ```
    /// # ringback::callback_pool! {
    /// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
    /// #     fallback = -1;
    /// # }
    /// let mut registration = ON_LINE.register(|_| 0)?;
    /// let c_function = registration.as_fn();
    /// let mut sum = 0;
    /// registration.replace_mut(move |number| {
    ///     sum += number as i32;
    ///     sum
    /// })?.wait()?;
    /// assert_eq!([c_function(40), c_function(2)], [40, 42]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AlreadyRetired`] gives the new listener back if this one has retired itself meanwhile.
    #[track_caller]
    pub fn replace_mut<F>(&mut self, listener: F) -> Result<Retired<S>, AlreadyRetired<F>>
    where
        S: AcceptsMut<F>,
        F: Send + 'static,
    {
        self.swap(Pool::<S>::erase_mut(listener), Location::caller()).map_err(|erased| {
            // SAFETY: erased from an `Exclusive<F>` just above, and not published.
            let listener = unsafe { erased.into_inner::<Exclusive<F>>() }.into_inner();
            AlreadyRetired { listener }
        })
    }
}

impl<S: Signature> Registration<S, Local> {
    /// As [`Registration::replace`], for a thread-bound listener.
    ///
    /// # Errors
    /// [`AlreadyRetired`] gives the new listener back if this one was retired meanwhile.
    #[track_caller]
    pub fn replace<F>(&mut self, listener: F) -> Result<Retired<S, Local>, AlreadyRetired<F>>
    where
        S: Accepts<F>,
        F: 'static,
    {
        self.swap(Pool::<S>::erase(listener), Location::caller())
            // SAFETY: erased from an `F` just above, and not published.
            .map_err(|erased| AlreadyRetired { listener: unsafe { erased.into_inner() } })
    }
}

impl<S: Signature, M> Drop for Registration<S, M> {
    fn drop(&mut self) {
        self.lease.retire(None);
        // SAFETY: dropped once, and forgotten wherever the lease moves on.
        unsafe { self.lease.release() };
    }
}

impl<S: Signature, M> fmt::Debug for Registration<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("pool", &self.lease.core.name)
            .field("slot", &self.lease.index)
            .finish()
    }
}

/// A slot whose pointer is lent out before its listener exists.
///
/// Dropping it unbound gives the slot back as an unregistered one: its pointer may be anywhere.
#[must_use = "dropping it gives the slot back"]
pub struct Reserved<S: Signature> {
    index: usize,
    marker: PhantomData<fn() -> S>,
}

impl<S: Signature> Reserved<S> {
    pub(crate) fn new(index: usize) -> Self {
        Reserved { index, marker: PhantomData }
    }

    pub(crate) fn handle(&self) -> Handle {
        Handle::new(&S::pool().core, self.index)
    }

    /// The C function of the slot; calls through it are stale ones until a listener is bound.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // the index is the pool's own
    pub fn as_fn(&self) -> S::Pointer {
        S::pool().thunk(self.index).expect("a reserved slot is in its pool")
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.index
    }

    /// Registers the listener, as [`Pool::register`] does.
    pub fn bind<F>(self, listener: F) -> Registration<S>
    where
        S: Accepts<F>,
        F: Send + Sync + 'static,
    {
        // SAFETY: `F` fits and is `Send + Sync + 'static`.
        unsafe { self.open(Pool::<S>::erase(listener)) }
    }

    /// Registers a listener with state of its own, as [`Pool::register_mut`] does.
    pub fn bind_mut<F>(self, listener: F) -> Registration<S>
    where
        S: AcceptsMut<F>,
        F: Send + 'static,
    {
        // SAFETY: `Exclusive<F>` is shared soundly for `F: Send`.
        unsafe { self.open(Pool::<S>::erase_mut(listener)) }
    }

    /// Registers a listener that is called once, as [`Pool::register_once`] does.
    pub fn bind_once<F>(self, listener: F) -> Registration<S>
    where
        S: AcceptsOnce<F>,
        F: Send + 'static,
    {
        let erased = Pool::<S>::erase_once(listener, self.handle());
        // SAFETY: one thread alone moves the `F: Send` out.
        unsafe { self.open(erased) }
    }

    /// Opens the slot for the producers' end of a mailbox.
    ///
    /// # Safety
    /// `T` and `M` are `Send`, `T` is `Sync`, and both are `'static`.
    #[cfg(feature = "std")]
    pub(crate) unsafe fn open_inlet<T, M>(self, inlet: Inlet<T, M, S::Output>) -> Registration<S>
    where
        S: AcceptsTake<T, M>,
    {
        let call = <S as AcceptsTake<T, M>>::CALL;
        // SAFETY: `CALL` takes an `*const Inlet<T, M, S::Output>`; the rest is the caller's promise.
        unsafe { self.open(Erased::boxed(inlet, Pool::<S>::untyped(call))) }
    }

    /// # Safety
    /// As for `Core::open`.
    pub(crate) unsafe fn open(self, erased: Erased) -> Registration<S> {
        let index = self.index;
        mem::forget(self);
        // SAFETY: the slot was ours alone; the rest is the caller's promise.
        unsafe { S::pool().registered(index, erased) }
    }
}

impl<S: Signature> Drop for Reserved<S> {
    fn drop(&mut self) {
        S::pool().core.unpin(self.index);
    }
}

impl<S: Signature> fmt::Debug for Reserved<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved")
            .field("pool", &S::pool().core.name)
            .field("slot", &self.index)
            .finish()
    }
}

/// What a listener made by [`Pool::register_with`] knows of its own registration.
///
/// While a handle is left, its slot is not given to anybody else.
pub struct Handle {
    core: &'static Core,
    index: usize,
}

impl Handle {
    pub(crate) fn new(core: &'static Core, index: usize) -> Self {
        core.pin(index);
        Handle { core, index }
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.index
    }

    /// Retires the registration; false if it was retired already, or does not exist yet.
    ///
    /// May be called inside the listener, which goes on to its end: the last call to leave drops it.
    #[track_caller]
    #[allow(clippy::must_use_candidate)] // called for its effect
    pub fn retire(&self) -> bool {
        self.retire_for(Some(Location::caller()))
    }

    /// `by` is the line that says so, if one does.
    pub(crate) fn retire_for(&self, by: Option<&'static Location<'static>>) -> bool {
        let slot = &self.core.slots[self.index];
        // The handle's pin keeps the slot from being another registration's; only `replace` can
        // get in between, and then its new listener is the one to retire.
        while let Some(link) = slot.current() {
            if self.core.close(self.index, link, by) {
                self.core.prove(self.index, link);
                return true;
            }
        }
        false
    }
}

#[cfg(feature = "std")]
impl Handle {
    /// The slot was closed, and no copy of its pointer is left.
    pub(crate) fn confirm_closed(&self) {
        self.core.confirm_closed(self.index);
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Handle::new(self.core, self.index)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.unpin(self.index);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("pool", &self.core.name).field("slot", &self.index).finish()
    }
}
