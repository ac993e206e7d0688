// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pooled functions whose unregistering waits for the proof that the foreign side has no copy left.

use ringback::abi::RbToken;
use ringback::{Tracked, TrackedRetired};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

ringback::callback_pool! {
    /// Functions without user data.
    static DOUBLERS: Pool<extern "C" fn(value: i64) -> i64, 4>;
    fallback = -1;
}

/// A listener behind a pooled function.
pub struct Pooled {
    state: State,
    dropped: Arc<AtomicBool>,
}

enum State {
    Registered(Tracked<DOUBLERS>),
    Retired(TrackedRetired<DOUBLERS>),
    Unregistered,
}

/// Sets a flag when the listener is dropped.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Registers a listener that doubles; null if the pool is full.
#[unsafe(no_mangle)]
pub extern "C" fn native_pool_register() -> *mut Pooled {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Flag(Arc::clone(&dropped));
    let Ok(registration) = DOUBLERS.register(move |value| {
        assert!(!flag.0.load(SeqCst), "called after its end");
        value * 2
    }) else {
        return core::ptr::null_mut();
    };
    Box::into_raw(Box::new(Pooled { state: State::Registered(registration.track()), dropped }))
}

/// The C function; null once it is unregistered.
///
/// # Safety
/// `pooled` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_function(
    pooled: *const Pooled,
) -> Option<extern "C" fn(value: i64) -> i64> {
    // SAFETY: the caller's promise.
    match &unsafe { &*pooled }.state {
        State::Registered(tracked) => Some(tracked.as_fn()),
        _ => None,
    }
}

/// A token for one more copy of the function; empty once it is unregistered.
///
/// # Safety
/// `pooled` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_token(pooled: *const Pooled) -> RbToken {
    // SAFETY: the caller's promise.
    match &unsafe { &*pooled }.state {
        State::Registered(tracked) => tracked.token(),
        _ => RbToken { context: core::ptr::null_mut(), retain: None, release: None },
    }
}

/// Closes the slot at once, and waits so long for the last call and the last copy. Answers whether
/// both are gone; if not, it may be asked again.
///
/// # Safety
/// `pooled` is alive, and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_unregister(pooled: *mut Pooled, milliseconds: u64) -> bool {
    // SAFETY: the caller's promise.
    let pooled = unsafe { &mut *pooled };
    let retired = match core::mem::replace(&mut pooled.state, State::Unregistered) {
        State::Registered(tracked) => tracked.retire(),
        State::Retired(retired) => retired,
        State::Unregistered => return true,
    };
    match retired.wait_timeout(Duration::from_millis(milliseconds)) {
        Ok(()) => true,
        Err(retired) => {
            pooled.state = State::Retired(retired);
            false
        }
    }
}

/// Whether the listener was dropped.
///
/// # Safety
/// `pooled` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_is_dropped(pooled: *const Pooled) -> bool {
    // SAFETY: the caller's promise.
    unsafe { &*pooled }.dropped.load(SeqCst)
}

/// Frees what `native_pool_register` gave.
///
/// # Safety
/// `pooled` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_free(pooled: *mut Pooled) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(pooled) });
}
