//! Reads of the environment and the clock make no system call. This program is first in the
//! order in which a library's names are looked up, so its own functions stand before the C
//! library's, note the call and pass it on. A macro that reads `environ` itself, or makes raw
//! system calls, goes unseen: the tool says so.

use crate::sys;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static WATCHING: AtomicBool = AtomicBool::new(false);
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub fn watch() {
    WATCHING.store(true, Ordering::Relaxed);
}

/// What was read since the last time.
pub fn take() -> Vec<String> {
    WATCHING.store(false, Ordering::Relaxed);
    let seen = SEEN.lock().map(|mut seen| std::mem::take(&mut *seen)).unwrap_or_default();
    WATCHING.store(true, Ordering::Relaxed);
    seen.into_iter().collect()
}

fn note(what: impl FnOnce() -> String) {
    // Noting allocates and may itself read the clock: not noted again.
    if WATCHING.swap(false, Ordering::Relaxed) {
        let what = what();
        if let Ok(mut seen) = SEEN.try_lock() {
            seen.insert(what);
        }
        WATCHING.store(true, Ordering::Relaxed);
    }
}

/// The C library's function of this name, looked up once.
fn next(name: &CStr, known: &AtomicUsize) -> usize {
    let mut address = known.load(Ordering::Relaxed);
    if address == 0 {
        let after_this_program = usize::MAX as *mut c_void; // RTLD_NEXT
        // SAFETY: a C string, and the handle that glibc documents for "the next definition".
        address = unsafe { sys::dlsym(after_this_program, name.as_ptr()) } as usize;
        known.store(address, Ordering::Relaxed);
    }
    address
}

type GetEnv = unsafe extern "C" fn(*const c_char) -> *mut c_char;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getenv(name: *const c_char) -> *mut c_char {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    if !name.is_null() {
        // SAFETY: the caller passes a C string.
        note(|| format!("env {}", unsafe { CStr::from_ptr(name) }.to_string_lossy()));
    }
    // SAFETY: the address is the C library's `getenv`; the caller keeps its contract.
    unsafe { std::mem::transmute::<usize, GetEnv>(next(c"getenv", &NEXT))(name) }
}

type ClockGetTime = unsafe extern "C" fn(c_int, *mut c_void) -> c_int;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut c_void) -> c_int {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    note(|| format!("clock {clock}"));
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, ClockGetTime>(next(c"clock_gettime", &NEXT))(clock, time) }
}
