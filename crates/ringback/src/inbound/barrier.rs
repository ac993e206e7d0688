// SPDX-License-Identifier: MIT OR Apache-2.0

//! The retirer's half of the asymmetric fence: `membarrier(2)`, or a real fence where every caller
//! executes one too.

use super::record::{Record, THREADS};
use super::{process, thread};
use crate::sync::{AtomicU8, Ordering::*, fence};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a call and an `unregister` are kept from missing each other.
///
/// Fixed for the whole process by the first registration, or before that by [`init`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// `membarrier(2)` where the kernel has it (Linux 4.14), else [`Fence`](Self::Fence).
    Auto,
    /// Calls pay plain stores; retiring interrupts every core that runs a thread of this process
    /// (some microseconds).
    Membarrier,
    /// Calls take the general path (237 instructions instead of 29 on x86-64), with two full fences; retiring
    /// interrupts nobody.
    Fence,
    /// Calls pay two atomic additions on the slot (171 instructions in all); what protects is not kept per
    /// thread, so it also serves fibers that continue on another thread in the middle of a call. What a
    /// thread is inside of is: where fibers move, `unregister` may answer [`StillInside`](crate::Pending::StillInside) without need, and a wait
    /// for oneself is not found, so wait with a time limit.
    Counter,
}

/// [`init`] could not bring the wanted protection into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitError {
    /// It was fixed before, to this.
    AlreadyFixed(Protection),
    /// The kernel does not offer or does not allow `membarrier(2)`.
    MembarrierRefused,
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InitError::AlreadyFixed(protection) => write!(
                f,
                "the protection of this process is already {protection:?}; call ringback::init \
                 before the first registration"
            ),
            InitError::MembarrierRefused => f.write_str(
                "the kernel refuses membarrier(2); use Protection::Fence, or Auto to fall back by \
                 itself",
            ),
        }
    }
}

impl std::error::Error for InitError {}

const UNSET: u8 = 0;
const MEMBARRIER: u8 = 1;
const FENCE: u8 = 2;
const COUNTER: u8 = 3;

static MODE: AtomicU8 = AtomicU8::new(UNSET);
/// Serialises the choice, and pools that join the list; held for one system call at most, never while
/// user code or the loader's runs.
static CHOOSING: Mutex<()> = Mutex::new(());

fn name(mode: u8) -> Option<Protection> {
    match mode {
        MEMBARRIER => Some(Protection::Membarrier),
        FENCE => Some(Protection::Fence),
        COUNTER => Some(Protection::Counter),
        _ => None,
    }
}

/// The protection in force: `None` before the first registration and before [`init`], never
/// [`Protection::Auto`].
pub fn protection() -> Option<Protection> {
    name(MODE.load(Acquire))
}

/// Whether a call that is recorded pays the full fence.
pub(crate) fn callers_fence() -> bool {
    MODE.load(Relaxed) == FENCE // fixed before any thread got a record
}

/// Fixes the protection of this process and returns the one that is now in force.
///
/// Optional: the first registration does it with [`Protection::Auto`]. A program that installs a
/// system-call filter later, or that must not be interrupted on its real-time cores, chooses
/// [`Protection::Fence`] here. And a program in which one thread may fork while another registers for the
/// first time calls this before it starts them.
///
/// ```
/// use ringback::Protection;
/// assert_eq!(ringback::init(Protection::Fence)?, Protection::Fence);
/// assert_eq!(ringback::protection(), Some(Protection::Fence));
/// # Ok::<(), ringback::InitError>(())
/// ```
///
/// # Errors
/// [`InitError::AlreadyFixed`] if another protection is in force already, and
/// [`InitError::MembarrierRefused`] if [`Protection::Membarrier`] was asked for and is not to be
/// had; nothing is fixed then.
pub fn init(wanted: Protection) -> Result<Protection, InitError> {
    process::prepare_for_forks();
    let _choosing = lock_choice();
    let mode = match (MODE.load(Acquire), wanted) {
        (UNSET, Protection::Auto) if membarrier::register() => MEMBARRIER,
        (UNSET, Protection::Auto | Protection::Fence) => FENCE,
        (UNSET, Protection::Membarrier) if membarrier::register() => MEMBARRIER,
        (UNSET, Protection::Membarrier) => return Err(InitError::MembarrierRefused),
        (UNSET, Protection::Counter) => COUNTER,
        (fixed, Protection::Auto) => fixed,
        (fixed, _) if name(fixed) == Some(wanted) => fixed,
        (fixed, _) => {
            return Err(InitError::AlreadyFixed(name(fixed).unwrap_or(Protection::Fence)));
        }
    };
    thread::prepare_process();
    MODE.store(mode, Release);
    Ok(name(mode).unwrap_or(Protection::Fence))
}

/// The protection in force, fixed now if it was not.
pub(crate) fn ensure() -> Protection {
    protection().unwrap_or_else(|| init(Protection::Auto).unwrap_or(Protection::Fence))
}

/// Held by the thread that forks, so that the child finds it free.
pub(crate) fn lock_choice() -> MutexGuard<'static, ()> {
    CHOOSING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In the child of a fork: the kernel may not have handed the registration down.
pub(crate) fn after_fork() {
    if protection() == Some(Protection::Membarrier) {
        membarrier::register();
    }
}

/// The kernel refused the barrier.
#[derive(Debug)]
pub(crate) struct Refused;

/// After this, every call that entered before is seen in its cell, and every later one sees the
/// slots as the caller of this left them. `own` is the caller's record.
pub(crate) fn heavy_fence(own: Option<&Record>) -> Result<(), Refused> {
    fence(SeqCst);
    // Also where no other thread has a record, so that no call can be under way unseen.
    if protection() != Some(Protection::Membarrier)
        || !THREADS.has_others(own)
        || membarrier::execute()
    {
        Ok(())
    } else {
        Err(Refused)
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod membarrier {
    // <linux/membarrier.h>; the crate `libc` has the number of the system call only.
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn call(command: libc::c_int) -> bool {
        // SAFETY: membarrier takes two integers and touches no memory of ours; an unknown command
        // or a kernel without it is an error return.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
    }

    pub(super) fn register() -> bool {
        call(REGISTER_PRIVATE_EXPEDITED)
    }

    pub(super) fn execute() -> bool {
        call(PRIVATE_EXPEDITED)
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod membarrier {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn execute() -> bool {
        false
    }
}
