// SPDX-License-Identifier: MIT OR Apache-2.0

//! Borrowing listeners: the scope, not a guard, owns them, so that nothing a program forgets can
//! leave a call inside a listener whose borrows have ended.

use super::core::Lease;
use super::pool::Pool;
use super::report::{Census, Full};
use super::signature::{Accepts, AcceptsMut, Signature};
use super::slot::Erased;
use super::wait::{self, Patience};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One listener of a scope.
struct Entry {
    lease: Lease,
    forgotten: bool,
}

// SAFETY: static references, and a pointer to a header that is touched by atomics.
unsafe impl Send for Entry {}

/// Inside [`Pool::scope`]: registers listeners that borrow from outside of the scope.
pub struct Scope<'scope, 'env: 'scope, S: Signature> {
    entries: Mutex<Vec<Entry>>,
    /// Invariant in both, as `std::thread::Scope`: a longer or shorter life must not be passed off.
    scope: PhantomData<&'scope mut &'scope ()>,
    environment: PhantomData<&'env mut &'env ()>,
    signature: PhantomData<fn() -> S>,
}

impl<'scope, 'env, S: Signature> Scope<'scope, 'env, S> {
    pub(crate) fn run<T>(
        _pool: &'static Pool<S>,
        body: impl for<'any> FnOnce(&'any Scope<'any, 'env, S>) -> T,
    ) -> T {
        let scope = Scope {
            entries: Mutex::new(Vec::new()),
            scope: PhantomData,
            environment: PhantomData,
            signature: PhantomData,
        };
        let _end = End(&scope.entries); // dropped at the end, also when `body` panics
        body(&scope)
    }

    /// Registers a borrowing listener until the scope ends; `register(&closure)` shares one.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[track_caller]
    pub fn register<F>(&'scope self, listener: F) -> Result<Scoped<'scope, S>, Full<F>>
    where
        S: Accepts<F>,
        F: Send + Sync + 'scope,
    {
        match self.take() {
            // SAFETY: `F` fits and is `Send + Sync`; the scope outlasts every call, see `End`.
            Ok(index) => Ok(unsafe { self.open(index, Pool::<S>::erase(listener)) }),
            Err(census) => Err(Full { listener, census }),
        }
    }

    /// As [`register`](Self::register), for a listener with state of its own.
    ///
    /// # Errors
    /// [`Full`] gives the listener back and says who holds the slots.
    #[track_caller]
    pub fn register_mut<F>(&'scope self, listener: F) -> Result<Scoped<'scope, S>, Full<F>>
    where
        S: AcceptsMut<F>,
        F: Send + 'scope,
    {
        match self.take() {
            // SAFETY: as in `register`; `Exclusive<F>` is shared soundly for `F: Send`.
            Ok(index) => Ok(unsafe { self.open(index, Pool::<S>::erase_mut(listener)) }),
            Err(census) => Err(Full { listener, census }),
        }
    }

    #[track_caller]
    fn take(&self) -> Result<usize, Box<Census>> {
        let core = &S::pool().core;
        core.take_slot(Location::caller()).ok_or_else(|| Box::new(Census::take(core)))
    }

    /// # Safety
    /// As for `Core::open`, but that the listener need only live as long as the scope.
    unsafe fn open(&'scope self, index: usize, erased: Erased) -> Scoped<'scope, S> {
        // Room first: nothing may fail between opening and remembering.
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.reserve(1);
        // SAFETY: the caller's promise; `End` keeps the borrow.
        let lease = unsafe { S::pool().core.open(index, erased, false) };
        let place = entries.len();
        entries.push(Entry { lease, forgotten: false });
        Scoped { entries: &self.entries, place, index, marker: PhantomData }
    }
}

/// How long to wait before asking again whether a listener that cannot be waited for is quiet.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The end of a scope.
struct End<'a>(&'a Mutex<Vec<Entry>>);

impl Drop for End<'_> {
    /// Retires every listener and waits until no call is inside: their borrows end here. Those, too, that a
    /// listener or its destructor registers meanwhile: once all are quiet, nobody is left who could.
    fn drop(&mut self) {
        let mut ended = 0;
        loop {
            let fresh: Vec<Lease> =
                self.entries()[ended..].iter().map(|entry| entry.lease).collect();
            if fresh.is_empty() {
                return;
            }
            for lease in &fresh {
                lease.retire(None);
            }
            for lease in fresh {
                // This thread cannot be inside: a call it made inside the scope has returned. What a
                // longjmp skipped has not, and then neither may the scope.
                while wait::wait(&lease, Patience::Scope).is_err() {
                    std::thread::park_timeout(LOOK_AGAIN);
                }
                if self.entries()[ended].forgotten {
                    lease.confirm();
                }
                // SAFETY: once per lease.
                unsafe { lease.release() };
                ended += 1;
            }
        }
    }
}

impl End<'_> {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Signature> fmt::Debug for Scope<'_, '_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("pool", &S::pool().core.name).finish_non_exhaustive()
    }
}

/// A borrowing listener's place in a pool, until its [`Scope`] ends. Dropping it does nothing.
pub struct Scoped<'scope, S: Signature> {
    entries: &'scope Mutex<Vec<Entry>>,
    place: usize,
    index: usize,
    marker: PhantomData<fn() -> S>,
}

impl<S: Signature> Scoped<'_, S> {
    /// Says that the foreign side will hold no copy of the pointer when the scope ends, so that the
    /// slot may then serve another listener; see [`Quiet::confirm_forgotten`](crate::Quiet).
    /// True of every C function that calls back only until it returns, such as `qsort`.
    pub fn confirm_forgotten(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)[self.place].forgotten = true;
    }

    /// The C function that leads to this listener.
    #[must_use]
    #[allow(clippy::missing_panics_doc)] // the index is the pool's own
    pub fn as_fn(&self) -> S::Pointer {
        S::pool().thunk(self.index).expect("a scoped slot is in its pool")
    }

    /// The slot, from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.index
    }
}

impl<S: Signature> fmt::Debug for Scoped<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped")
            .field("pool", &S::pool().core.name)
            .field("slot", &self.index)
            .finish()
    }
}
