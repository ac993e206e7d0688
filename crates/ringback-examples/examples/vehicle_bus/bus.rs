// SPDX-License-Identifier: MIT OR Apache-2.0

//! The C++ bus, seen from Rust: what `cpp/bus.h` declares, with an owner and lifetimes.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What a listener is registered for.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) service: u16,
    pub(crate) instance: u16,
    pub(crate) method: u16,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}.{:04x}.{:04x}", self.service, self.instance, self.method)
    }
}

/// What a listener gets. The bus owns it; it lives until the listener returns.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Message {
    /// Whom it was sent to.
    pub(crate) key: Key,
    /// Counts the messages of the bus, from 0.
    pub(crate) sequence: u64,
    /// When it was given to the bus, by [`now`].
    pub(crate) sent: u64,
}

/// What happened on the bus so far.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Messages sent.
    pub(crate) sent: u64,
    /// .. for whose key no handler was registered at that moment.
    pub(crate) unhandled: u64,
    /// Handler calls that have returned.
    pub(crate) dispatched: u64,
    /// Nanoseconds that the dispatcher threads spent in those calls.
    pub(crate) nanoseconds: u64,
}

const _: () = assert!(size_of::<Key>() == 6 && size_of::<Message>() == 24, "as bus_c.cpp asserts");
const _: () = assert!(size_of::<Counts>() == 32, "as bus_c.cpp asserts");

/// A bare C function, called on the bus's dispatcher threads.
pub(crate) type Handler = unsafe extern "C" fn(message: &Message);

#[repr(C)]
struct Application {
    _opaque: [u8; 0],
    /// Owned by C++: neither `Send`, `Sync` nor `Unpin` by itself.
    _marker: PhantomData<(*mut u8, std::marker::PhantomPinned)>,
}

unsafe extern "C" {
    fn bus_create(dispatchers: usize) -> Option<NonNull<Application>>;
    fn bus_destroy(bus: NonNull<Application>);
    fn bus_register(bus: NonNull<Application>, key: Key, handler: Handler);
    fn bus_unregister(bus: NonNull<Application>, key: Key);
    fn bus_send(bus: NonNull<Application>, key: Key);
    fn bus_drain(bus: NonNull<Application>);
    fn bus_hold(bus: NonNull<Application>);
    fn bus_release(bus: NonNull<Application>);
    fn bus_count(bus: NonNull<Application>) -> Counts;
    safe fn bus_now() -> u64;
}

/// The bus's clock: nanoseconds since some moment in the past.
pub(crate) fn now() -> u64 {
    bus_now()
}

/// A running bus. Dropping it ends its threads; then no handler is running and no copy is left.
///
/// To be drained and dropped outside of its handlers, which both wait for.
pub(crate) struct Bus(NonNull<Application>);

// SAFETY: every function of the bus may be called from any thread.
unsafe impl Send for Bus {}
// SAFETY: as above, by several threads at once.
unsafe impl Sync for Bus {}

impl Bus {
    /// Starts a bus with so many dispatcher threads; `None` if the system refuses them.
    pub(crate) fn start(dispatchers: usize) -> Option<Bus> {
        // SAFETY: takes any number.
        unsafe { bus_create(dispatchers) }.map(Bus)
    }

    /// Has `handler` called for the messages sent to `key` from now on, in place of an earlier one.
    ///
    /// # Safety
    /// Until the bus is dropped, `handler` may be called with any message from any thread.
    pub(crate) unsafe fn register(&self, key: Key, handler: Handler) {
        // SAFETY: the bus is running; the rest is the caller's promise.
        unsafe { bus_register(self.0, key, handler) }
    }

    /// Ends what `register` began. Copies of the handler that are queued still run.
    pub(crate) fn unregister(&self, key: Key) {
        // SAFETY: the bus is running.
        unsafe { bus_unregister(self.0, key) }
    }

    /// Queues a message with a copy of its handler.
    pub(crate) fn send(&self, key: Key) {
        // SAFETY: the bus is running.
        unsafe { bus_send(self.0, key) }
    }

    /// Waits until all that was queued before has been dispatched.
    pub(crate) fn drain(&self) {
        // SAFETY: the bus is running.
        unsafe { bus_drain(self.0) }
    }

    /// Keeps messages queued while the guard lives.
    pub(crate) fn hold(&self) -> Hold<'_> {
        // SAFETY: the bus is running.
        unsafe { bus_hold(self.0) };
        Hold(self)
    }

    /// Reads the counters.
    pub(crate) fn counts(&self) -> Counts {
        // SAFETY: the bus is running.
        unsafe { bus_count(self.0) }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // SAFETY: made by `bus_create`, destroyed once, and nobody else refers to it.
        unsafe { bus_destroy(self.0) }
    }
}

/// While it lives, the bus dispatches nothing new.
pub(crate) struct Hold<'bus>(&'bus Bus);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // SAFETY: the bus is running.
        unsafe { bus_release(self.0.0) }
    }
}
