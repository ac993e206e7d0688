// SPDX-License-Identifier: MIT OR Apache-2.0

//! Bare message handlers for code that calls vsomeip through `vsomeip-sys`: a drop-in for the macro
//! `generate_message_handler_extern_c_fns!` of `vsomeip-proc-macro`.
//!
//! Such a pointer goes into a `std::function` without a token, so nobody can tell when vsomeip has
//! forgotten it; a queued copy may call it after its id was given to somebody else. Each id therefore
//! knows which service, instance and method it is bound to, and compares every message: what does not
//! fit is *stale*, counted, and reaches nobody. What it cannot tell is a message of the very key that
//! the id was bound to before: a new listener of the same key may get it.

use crate::vsomeip::{ANY, Message, Target};
use std::collections::HashSet;
use std::ffi::c_void;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

#[doc(hidden)]
pub use ringback;

type Listener = Arc<dyn Fn(&Message<'_>) + Send + Sync>;

/// The ids of one macro call and what they are bound to.
pub struct Ids {
    bound: Vec<RwLock<Option<(Target, Listener)>>>,
    stale: AtomicU64,
}

/// How many there are, and how many of them are bound.
impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_bound = |listener: &&RwLock<Option<_>>| {
            listener.read().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        let bound = self.bound.iter().filter(is_bound).count();
        let ids = self.bound.len();
        f.debug_struct("Ids").field("ids", &ids).field("bound", &bound).finish_non_exhaustive()
    }
}

impl Ids {
    #[doc(hidden)]
    pub fn new(count: usize) -> Self {
        Ids { bound: (0..count).map(|_| RwLock::new(None)).collect(), stale: AtomicU64::new(0) }
    }

    /// Every id there is.
    pub fn all(&self) -> HashSet<usize> {
        (0..self.bound.len()).collect()
    }

    /// Says whose messages the function of an id is for; `false` where there is no such id.
    pub fn bind(
        &self,
        id: usize,
        target: Target,
        listener: impl Fn(&Message<'_>) + Send + Sync + 'static,
    ) -> bool {
        self.exchange(id, Some((target, Arc::new(listener))))
    }

    /// From here on every message through the function of this id is stale.
    pub fn release(&self, id: usize) -> bool {
        self.exchange(id, None)
    }

    fn exchange(&self, id: usize, to: Option<(Target, Listener)>) -> bool {
        let Some(slot) = self.bound.get(id) else { return false };
        let old = {
            let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, to)
        };
        drop(old); // user code: with the lock open
        true
    }

    /// How many messages reached nobody, since their id was bound to something else or to nothing.
    pub fn stale(&self) -> u64 {
        self.stale.load(Relaxed)
    }

    /// A message came through the function of an id.
    ///
    /// # Safety
    /// As [`Message::from_raw`].
    #[doc(hidden)]
    pub unsafe fn deliver(&self, id: usize, message: *const c_void) {
        // SAFETY: the caller's promise.
        let message = unsafe { Message::from_raw(message) };
        let bound = self
            .bound
            .get(id)
            .and_then(|slot| slot.read().unwrap_or_else(PoisonError::into_inner).clone());
        let header = message.header();
        let fits = |wanted: u16, is: u16| wanted == ANY || wanted == is;
        match bound {
            Some((of, listener))
                if fits(of.service, header.service)
                    && fits(of.instance, header.instance)
                    && fits(of.method, header.method) =>
            {
                listener(&message);
            }
            _ => {
                self.stale.fetch_add(1, Relaxed);
            }
        }
    }
}

/// Declares so many bare message handlers, at no cost in build time: the module
/// `message_handler_proc_macro`, as `vsomeip-proc-macro` does, with
///
/// * `get_extern_fn(id)`: the function of an id, an `extern "C" fn(&SharedPtr<vsomeip::message>)`,
/// * `FREE_MESSAGE_HANDLER_IDS`: the ids that nobody uses, behind a lock,
/// * `IDS`: new; [`bind`](crate::raw::Ids::bind) says which messages an id's function is for and who gets
///   them, [`release`](crate::raw::Ids::release) ends that, [`stale`](crate::raw::Ids::stale) counts.
///
/// `SharedPtr` and `vsomeip` must be in scope, as for the original.
///
/// # Panics
/// `get_extern_fn`, for an id out of range, as the original.
#[macro_export]
macro_rules! generate_message_handler_extern_c_fns {
    ($count:literal) => {
        #[allow(dead_code)]
        pub(super) mod message_handler_proc_macro {
            use super::*;
            use ::std::collections::HashSet;
            use ::std::ffi::c_void;
            use ::std::sync::{LazyLock, RwLock};
            use $crate::raw::ringback::Registration;

            $crate::raw::ringback::callback_pool! {
                static POOL: Pool<unsafe extern "C" fn(message: *const c_void), $count>;
            }

            pub(super) static IDS: LazyLock<$crate::raw::Ids> =
                LazyLock::new(|| $crate::raw::Ids::new($count));

            pub(super) static FREE_MESSAGE_HANDLER_IDS: LazyLock<RwLock<HashSet<usize>>> =
                LazyLock::new(|| RwLock::new(IDS.all()));

            static FUNCTIONS: LazyLock<Vec<Registration<POOL>>> = LazyLock::new(|| {
                let register = |id: usize| {
                    // SAFETY: vsomeip passes a message that lives during the call.
                    POOL.register(move |message: *const c_void| unsafe { IDS.deliver(id, message) })
                        .ok()
                };
                (0..$count).map_while(register).collect()
            });

            pub(super) fn get_extern_fn(id: usize) -> extern "C" fn(&SharedPtr<vsomeip::message>) {
                let function = FUNCTIONS
                    .get(id)
                    .unwrap_or_else(|| panic!("MessageHandlerId out of range: {id}"))
                    .as_fn();
                // SAFETY: a reference to a shared pointer is passed as the pointer that it is.
                unsafe {
                    ::std::mem::transmute::<
                        unsafe extern "C" fn(*const c_void),
                        extern "C" fn(&SharedPtr<vsomeip::message>),
                    >(function)
                }
            }
        }
    };
}
