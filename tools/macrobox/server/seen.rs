// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads of the environment and the clock make no system call, and random numbers are to be the
//! same each time they are seeded the same. This program is first in the order in which a library's
//! names are looked up, so its own functions stand before the C library's, note the call and pass it
//! on. A macro that reads `environ` itself, or makes raw system calls, goes unseen: the tool says so.

use crate::message::{Note, Vary};
use crate::{say, sys};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

static WATCHING: AtomicBool = AtomicBool::new(false);
/// What was noted already.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

thread_local! {
    /// Noting allocates and may itself read the clock: that is not noted again.
    static NOTING: Cell<bool> = const { Cell::new(false) };
}

/// Seconds that the wall clock is ahead.
static AHEAD: AtomicI64 = AtomicI64::new(0);
static SEEDED: AtomicBool = AtomicBool::new(false);
/// Of the random numbers, if they are seeded.
static STATE: AtomicU64 = AtomicU64::new(0);

/// From here on the clock and the random numbers are those of `vary`.
pub fn vary(vary: &Vary) {
    AHEAD.store(vary.clock_seconds as i64, Ordering::Relaxed);
    STATE.store(vary.seed.unwrap_or(0), Ordering::Relaxed);
    SEEDED.store(vary.seed.is_some(), Ordering::Relaxed);
}

pub fn watch() {
    WATCHING.store(true, Ordering::Relaxed);
}

/// What was noted of one call is noted again of the next.
pub fn forget() {
    SEEN.lock().unwrap_or_else(|held| held.into_inner()).clear();
}

fn note(what: impl FnOnce() -> String) {
    if !WATCHING.load(Ordering::Relaxed) || NOTING.replace(true) {
        return;
    }
    let what = what();
    let is_new = SEEN.lock().unwrap_or_else(|held| held.into_inner()).insert(what.clone());
    if is_new {
        say::note(&Note::Tracked(what));
    }
    NOTING.set(false);
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

/// A read of the environment, by the C library's function of this name.
///
/// # Safety
/// `name` as for the C library's `getenv`.
unsafe fn read_environment(
    function: &CStr,
    known: &AtomicUsize,
    name: *const c_char,
) -> *mut c_char {
    type GetEnv = unsafe extern "C" fn(*const c_char) -> *mut c_char;
    if !name.is_null() {
        // SAFETY: the caller passes a C string.
        note(|| format!("env {}", unsafe { CStr::from_ptr(name) }.to_string_lossy()));
    }
    // SAFETY: the address is of a function of this form; the caller keeps its contract.
    unsafe { std::mem::transmute::<usize, GetEnv>(next(function, known))(name) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getenv(name: *const c_char) -> *mut c_char {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the caller keeps its contract.
    unsafe { read_environment(c"getenv", &NEXT, name) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn secure_getenv(name: *const c_char) -> *mut c_char {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the caller keeps its contract.
    unsafe { read_environment(c"secure_getenv", &NEXT, name) }
}

const WALL_CLOCK: c_int = 0;

/// Sets what the C library has just written to the caller's `timespec`, `timeval` or `time_t` ahead.
///
/// # Safety
/// `time` is none, or begins with the seconds.
unsafe fn set_ahead(time: *mut c_void) {
    if !time.is_null() {
        // SAFETY: the caller says so.
        unsafe { *time.cast::<i64>() += AHEAD.load(Ordering::Relaxed) };
    }
}

type ClockGetTime = unsafe extern "C" fn(c_int, *mut c_void) -> c_int;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut c_void) -> c_int {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    note(|| format!("clock {clock}"));
    // SAFETY: as above.
    let result = unsafe {
        std::mem::transmute::<usize, ClockGetTime>(next(c"clock_gettime", &NEXT))(clock, time)
    };
    if clock == WALL_CLOCK && result == 0 {
        // SAFETY: the C library has filled the caller's `timespec`.
        unsafe { set_ahead(time) };
    }
    result
}

type GetTimeOfDay = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(time: *mut c_void, zone: *mut c_void) -> c_int {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    note(|| format!("clock {WALL_CLOCK}"));
    // SAFETY: as above.
    let result = unsafe {
        std::mem::transmute::<usize, GetTimeOfDay>(next(c"gettimeofday", &NEXT))(time, zone)
    };
    if result == 0 {
        // SAFETY: the C library has filled the caller's `timeval`, if there is one.
        unsafe { set_ahead(time) };
    }
    result
}

type TimespecGet = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn timespec_get(time: *mut c_void, base: c_int) -> c_int {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let wall_clock = 1; // TIME_UTC; the other bases are one more than the clock's number
    note(|| format!("clock {}", base.wrapping_sub(1)));
    // SAFETY: as above.
    let result = unsafe {
        std::mem::transmute::<usize, TimespecGet>(next(c"timespec_get", &NEXT))(time, base)
    };
    if base == wall_clock && result == base {
        // SAFETY: the C library has filled the caller's `timespec`.
        unsafe { set_ahead(time) };
    }
    result
}

type Time = unsafe extern "C" fn(*mut c_void) -> i64;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time(time: *mut c_void) -> i64 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    note(|| format!("clock {WALL_CLOCK}"));
    // SAFETY: as above.
    let seconds = unsafe { std::mem::transmute::<usize, Time>(next(c"time", &NEXT))(time) };
    // SAFETY: the C library has written to the caller's `time_t`, if there is one.
    unsafe { set_ahead(time) };
    seconds + AHEAD.load(Ordering::Relaxed)
}

type GetRandom = unsafe extern "C" fn(*mut c_void, usize, u32) -> isize;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, flags: u32) -> isize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    note(|| "random getrandom".into());
    if !SEEDED.load(Ordering::Relaxed) {
        // SAFETY: the address is the C library's `getrandom`; the caller keeps its contract.
        return unsafe {
            std::mem::transmute::<usize, GetRandom>(next(c"getrandom", &NEXT))(
                buffer, length, flags,
            )
        };
    }
    for at in 0..length {
        // SAFETY: the caller's buffer has `length` bytes.
        unsafe { *buffer.cast::<u8>().add(at) = (next_random() >> 56) as u8 };
    }
    length as isize
}

/// SplitMix64: any seed gives a different stream.
fn next_random() -> u64 {
    let step = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = STATE.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
