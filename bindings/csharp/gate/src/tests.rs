// SPDX-License-Identifier: MIT OR Apache-2.0

//! One test, as the library has one state: a storm of references, then the end of the runtime.

use super::*;

static FREED: AtomicUsize = AtomicUsize::new(0);
static CANCELLED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn free(handle: *mut c_void) {
    assert_eq!(handle.addr(), 7);
    FREED.fetch_add(1, SeqCst);
}

unsafe extern "C" fn cancel(handle: *mut c_void) {
    assert_eq!(handle.addr(), 7);
    CANCELLED.fetch_add(1, SeqCst);
}

fn cell(cancel: Option<Managed>) -> usize {
    // SAFETY: the functions take any handle.
    unsafe { ringback_dotnet_new(ptr::without_provenance_mut(7), free, cancel) }.expose_provenance()
}

fn context(cell: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(cell)
}

#[test]
fn the_last_release_frees_once_and_not_after_the_end() {
    let first = cell(Some(cancel));
    thread::scope(|scope| {
        for _ in 0..4 {
            // SAFETY: `first` is released after the scope.
            unsafe { ringback_dotnet_retain(context(first)) };
            scope.spawn(move || {
                for _ in 0..10_000 {
                    // SAFETY: this thread has a reference, and gives away what it adds.
                    unsafe {
                        ringback_dotnet_retain(context(first));
                        ringback_dotnet_release(context(first));
                    }
                }
                // SAFETY: a reference of this thread's, given away.
                unsafe {
                    ringback_dotnet_cancel(context(first));
                    ringback_dotnet_release(context(first));
                }
            });
        }
    });
    assert_eq!((FREED.load(SeqCst), CANCELLED.load(SeqCst)), (0, 4));
    // SAFETY: the last reference.
    unsafe { ringback_dotnet_release(context(first)) };
    assert_eq!(FREED.load(SeqCst), 1);

    let late = cell(Some(cancel));
    ringback_dotnet_close();
    // SAFETY: the only reference.
    unsafe {
        ringback_dotnet_cancel(context(late));
        ringback_dotnet_release(context(late));
    }
    assert_eq!((FREED.load(SeqCst), CANCELLED.load(SeqCst)), (1, 4));
}

#[test]
fn an_error_carries_a_copy_of_its_text() {
    let mut error = Error { text: ptr::null(), length: 0, owner: ptr::null_mut(), release: None };
    let text = String::from("Grüße");
    // SAFETY: both live here.
    unsafe { ringback_dotnet_fill(&raw mut error, text.as_ptr(), text.len()) };
    drop(text);
    // SAFETY: just filled.
    let copy = unsafe { std::slice::from_raw_parts(error.text.cast::<u8>(), error.length) };
    assert_eq!(copy, "Grüße".as_bytes());
    // SAFETY: filled, and released once.
    unsafe { error.release.expect("filled")(error.owner) };
}
