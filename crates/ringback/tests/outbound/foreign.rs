// SPDX-License-Identifier: MIT OR Apache-2.0

//! A foreign side, by hand: it counts what Rust does to it.

use core::ffi::c_void;
use ringback::abi::{RbCallback, RbError, Status, VERSION};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

/// What the foreign object has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) references: AtomicUsize,
    pub(crate) calls: AtomicUsize,
    pub(crate) calls_after_release: AtomicUsize,
    pub(crate) releases: AtomicUsize,
    pub(crate) released_on: Mutex<Option<ThreadId>>,
    pub(crate) answers: AtomicI32,
    pub(crate) throws: AtomicBool,
    pub(crate) errors_freed: Arc<AtomicUsize>,
}

unsafe extern "C" fn call(
    context: *mut c_void,
    value: bool,
    out: *mut i32,
    error: *mut RbError,
) -> i32 {
    let seen = unsafe { &*context.cast::<Seen>() };
    seen.calls.fetch_add(1, SeqCst);
    if seen.references.load(SeqCst) == 0 {
        seen.calls_after_release.fetch_add(1, SeqCst);
    }
    if seen.throws.load(SeqCst) {
        let text = "exception: no such door \u{1F6AA}";
        unsafe {
            error.write(RbError {
                text: text.as_ptr().cast(),
                length: text.len(),
                owner: Arc::into_raw(Arc::clone(&seen.errors_freed)).cast_mut().cast(),
                release: Some(free_error),
            });
        }
        return Status::ERROR.0;
    }
    unsafe { out.write(seen.answers.load(SeqCst) + i32::from(value)) };
    Status::OK.0
}

unsafe extern "C" fn free_error(owner: *mut c_void) {
    unsafe { Arc::from_raw(owner.cast::<AtomicUsize>()) }.fetch_add(1, SeqCst);
}

unsafe extern "C" fn retain(context: *mut c_void) {
    unsafe { &*context.cast::<Seen>() }.references.fetch_add(1, SeqCst);
}

unsafe extern "C" fn release(context: *mut c_void) {
    let seen = unsafe { &*context.cast::<Seen>() };
    *seen.released_on.lock().unwrap() = Some(thread::current().id());
    seen.releases.fetch_add(1, SeqCst);
    let before = seen.references.fetch_sub(1, SeqCst);
    assert!(before > 0, "released more often than retained");
}

/// One reference to a foreign object, and the object.
pub(crate) fn object(can_be_copied: bool) -> (RbCallback, &'static Seen) {
    /// So that a search for leaks finds them: they outlive their release, to be looked at.
    static OBJECTS: Mutex<Vec<&'static Seen>> = Mutex::new(Vec::new());
    let seen: &'static Seen = Box::leak(Box::default());
    OBJECTS.lock().unwrap().push(seen);
    seen.references.store(1, SeqCst);
    let raw = RbCallback {
        size: RbCallback::SIZE,
        abi: VERSION,
        call: Some(unsafe {
            std::mem::transmute::<
                unsafe extern "C" fn(*mut c_void, bool, *mut i32, *mut RbError) -> i32,
                unsafe extern "C" fn(),
            >(call)
        }),
        context: ptr::from_ref(seen).cast_mut().cast(),
        retain: can_be_copied.then_some(retain as _),
        release: Some(release),
    };
    (raw, seen)
}
