//! Pooled functions whose unregistering waits for the proof that the foreign side has no copy left.

use crate::OnEnd;
use ringback::Registration;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

ringback::callback_pool! {
    /// Functions without user data.
    static DOUBLERS: Pool<extern "C" fn(value: i64) -> i64, 4>;
    fallback = -1;
}

/// Set once the last copy of the token is gone.
#[derive(Default)]
struct Ended {
    over: Mutex<bool>,
    changed: Condvar,
}

/// Lives in the token; dropped under whatever locks the foreign side holds, so it only signals.
struct Signal(Arc<Ended>);

impl Drop for Signal {
    fn drop(&mut self) {
        *self.0.over.lock().expect("not poisoned") = true;
        self.0.changed.notify_all();
    }
}

/// A listener behind a pooled function.
pub struct Pooled {
    registration: Option<Registration<DOUBLERS>>,
    ended: Arc<Ended>,
    dropped: Arc<AtomicBool>,
}

/// Sets a flag when the listener is dropped.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Registers a listener that doubles; null if the pool is full. `*token` is a reference to count
/// copies of the function by: its `call` does nothing.
///
/// # Safety
/// `token` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_register(token: *mut OnEnd) -> *mut Pooled {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Flag(Arc::clone(&dropped));
    let Ok(registration) = DOUBLERS.register(move |value| {
        assert!(!flag.0.load(SeqCst), "called after its end");
        value * 2
    }) else {
        return core::ptr::null_mut();
    };
    let ended = Arc::<Ended>::default();
    let signal = Signal(Arc::clone(&ended));
    // SAFETY: the caller's promise.
    unsafe {
        token.write(OnEnd::new(move || {
            let _alive = &signal;
        }));
    }
    Box::into_raw(Box::new(Pooled { registration: Some(registration), ended, dropped }))
}

/// The C function.
///
/// # Safety
/// `pooled` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_function(
    pooled: *const Pooled,
) -> Option<extern "C" fn(value: i64) -> i64> {
    // SAFETY: the caller's promise.
    unsafe { &*pooled }.registration.as_ref().map(|registration| registration.as_fn())
}

/// Waits until the last copy of the token is gone, then unregisters and confirms the slot. Answers
/// whether that happened within the time; if not, everything is as before.
///
/// # Safety
/// `pooled` is alive, and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn native_pool_unregister(pooled: *mut Pooled, milliseconds: u64) -> bool {
    // SAFETY: the caller's promise.
    let pooled = unsafe { &mut *pooled };
    let over = pooled.ended.over.lock().expect("not poisoned");
    let limit = Duration::from_millis(milliseconds);
    let (over, _) =
        pooled.ended.changed.wait_timeout_while(over, limit, |over| !*over).expect("not poisoned");
    if !*over {
        return false;
    }
    drop(over);
    match pooled.registration.take().map(Registration::unregister) {
        Some(Ok(quiet)) => quiet.confirm_forgotten(),
        Some(Err(pending)) => panic!("nobody is inside, yet: {pending}"),
        None => {}
    }
    true
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
