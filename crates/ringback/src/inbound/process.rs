// SPDX-License-Identifier: MIT OR Apache-2.0

//! A pool's place in the process: the list of all pools, the library that holds it, and fork.
//!
//! # State
//! A pool joins the list, for good, before the first of its pointers is lent out. Its library is then
//! pinned: foreign code may call a thunk at any time, so the code behind it must never be unloaded.
//!
//! # Fork
//! The thread that forks holds the pools' locks meanwhile, so that they are free on both sides. In
//! the child the other threads are gone: records that they were not using are freed; a listener that
//! one of them was inside of, or about to drop, is never dropped, and waiting for it is answered
//! [`Pending::Vanished`](crate::Pending). (A fork *while* the first registration of the process is
//! under way is the one that is not prepared, unless [`init`](crate::init) was called before.)

use super::barrier;
use super::core::Core;
use crate::sync::{AtomicBool, AtomicPtr, Ordering::*};
use alloc::string::String;
use core::ptr;

static POOLS: AtomicPtr<Core> = AtomicPtr::new(ptr::null_mut());

/// A pool's own part of the list.
pub(crate) struct Membership {
    /// One thread links it, once.
    claimed: AtomicBool,
    /// All is done.
    joined: AtomicBool,
    next: AtomicPtr<Core>,
}

impl Membership {
    pub(crate) const fn new() -> Self {
        Membership {
            claimed: AtomicBool::new(false),
            joined: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

/// Every pool that has lent out a pointer.
pub(crate) fn pools() -> impl Iterator<Item = &'static Core> {
    let mut next = POOLS.load(Acquire);
    core::iter::from_fn(move || {
        // SAFETY: null, or a static pool whose library is pinned.
        let core = unsafe { next.as_ref() }?;
        next = core.membership.next.load(Relaxed); // set before it was linked
        Some(core)
    })
}

/// Called before a pointer of the pool is lent out.
#[inline]
pub(crate) fn join(core: &'static Core) {
    if !core.membership.joined.load(Acquire) {
        join_now(core);
    }
}

#[cold]
fn join_now(core: &'static Core) {
    // Both may be done twice. Not under the lock: the loader has locks of its own, and runs code that
    // may register while it holds them.
    library::pin(core.slots.as_ptr().cast());
    prepare_for_forks();
    // Whoever comes second waits until the pool is on the list. (An interrupt without `std` cannot
    // wait: until the program that it interrupted goes on, `describe` does not know the pool.)
    let _one_at_a_time = barrier::lock_choice();
    if !core.membership.claimed.swap(true, AcqRel) {
        link(core);
    }
    core.membership.joined.store(true, Release);
}

/// From here on a fork meets nothing half done. Not under the lock that a fork takes.
pub(crate) fn prepare_for_forks() {
    fork::prepare();
    let _ = super::core::now(); // sets the clock
}

fn link(core: &'static Core) {
    let mut head = POOLS.load(Relaxed);
    loop {
        core.membership.next.store(head, Relaxed);
        let new = ptr::from_ref(core).cast_mut();
        match POOLS.compare_exchange_weak(head, new, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// What the dynamic loader knows of an address.
pub(crate) struct Symbol {
    pub(crate) object: String,
    /// The name before it, and how many bytes before.
    pub(crate) symbol: Option<(String, usize)>,
}

/// Keeps the library that holds this function loaded until the process ends.
#[cfg(all(unix, feature = "std"))]
pub(crate) fn pin(function: *const ()) {
    library::pin(function.cast());
}

pub(crate) fn symbol(address: *const ()) -> Option<Symbol> {
    library::symbol(address.cast())
}

#[cfg(all(unix, feature = "std", not(miri)))]
mod library {
    use super::Symbol;
    use core::ffi::CStr;

    fn look_up(address: *const libc::c_void) -> Option<libc::Dl_info> {
        // SAFETY: plain data, written by `dladdr`.
        let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: `dladdr` only looks the address up.
        let found = unsafe { libc::dladdr(address, &raw mut info) } != 0;
        (found && !info.dli_fname.is_null()).then_some(info)
    }

    pub(super) fn symbol(address: *const libc::c_void) -> Option<Symbol> {
        let info = look_up(address)?;
        let text = |text| {
            // SAFETY: a string of the loader's, valid while the object is loaded.
            unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
        };
        let symbol = (!info.dli_sname.is_null())
            .then(|| (text(info.dli_sname), address.addr() - info.dli_saddr.addr()));
        Some(Symbol { object: text(info.dli_fname), symbol })
    }

    /// Keeps whatever holds `address` loaded until the process ends. Nothing to do for what cannot
    /// be unloaded, such as the program itself.
    pub(super) fn pin(address: *const libc::c_void) {
        if let Some(info) = look_up(address) {
            let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
            // SAFETY: a string of the loader's; nothing is loaded that was not, so no code runs.
            unsafe { libc::dlopen(info.dli_fname, flags) };
        }
    }
}

#[cfg(windows)]
mod library {
    use core::ffi::c_void;

    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }

    /// Keeps the module that holds `address` loaded until the process ends.
    pub(super) fn pin(address: *const c_void) {
        let mut module = core::ptr::null_mut();
        // SAFETY: with `FROM_ADDRESS` the second argument is any address, not a name.
        unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, address, &raw mut module) };
    }

    pub(super) fn symbol(_: *const c_void) -> Option<super::Symbol> {
        None
    }
}

#[cfg(not(any(all(unix, feature = "std", not(miri)), windows)))]
mod library {
    use core::ffi::c_void;

    pub(super) fn pin(_: *const c_void) {}

    pub(super) fn symbol(_: *const c_void) -> Option<super::Symbol> {
        None
    }
}

#[cfg(all(unix, feature = "std", not(miri)))]
mod fork {
    use super::super::{barrier, free::List, thread, wait};
    use super::pools;
    use core::cell::RefCell;
    use std::sync::{MutexGuard, Once};

    /// What the forking thread holds while it forks.
    struct Held {
        _choice: MutexGuard<'static, ()>,
        _free: Vec<MutexGuard<'static, List>>,
        _waits: wait::Locked,
    }
    thread_local!(static HELD: RefCell<Option<Held>> = const { RefCell::new(None) });

    extern "C" fn before() {
        // A thread that forks while its storage is torn down goes without.
        let _ = HELD.try_with(|held| {
            *held.borrow_mut() = Some(Held {
                _choice: barrier::lock_choice(),
                _free: pools().map(|core| core.lock_free_list()).collect(),
                _waits: wait::lock(),
            });
        });
    }

    extern "C" fn in_parent() {
        let _ = HELD.try_with(|held| held.take());
    }

    extern "C" fn in_child() {
        in_parent();
        barrier::after_fork();
        thread::after_fork();
        wait::after_fork();
        pools().for_each(|core| core.after_fork(thread::number()));
    }

    pub(super) fn prepare() {
        static ONCE: Once = Once::new();
        // SAFETY: the handlers stay loaded, since this library is pinned, or goes with them.
        ONCE.call_once(|| unsafe {
            libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child));
        });
    }
}

#[cfg(not(all(unix, feature = "std", not(miri))))]
mod fork {
    pub(super) fn prepare() {}
}
