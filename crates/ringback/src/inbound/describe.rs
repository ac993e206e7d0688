// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finding the culprit: whose a C function pointer is, and who called a stale one.

use super::core::{Core, SlotState, now};
use super::process::{self, Symbol};
use super::report::location;
use crate::boundary;
use crate::sync::{AtomicBool, Ordering::*};
use alloc::string::String;
use core::fmt;
use core::panic::Location;
use core::time::Duration;

/// What is known about one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The pool's name.
    pub pool: &'static str,
    /// The slot.
    pub slot: usize,
    /// Where it stands.
    pub state: SlotState,
    /// Who took the slot last; `None` if nobody ever did.
    pub holder: Option<&'static Location<'static>>,
    /// The line that closed it last. `None` while it is live, if nobody ever did, and where no line said
    /// so: its guard was dropped, its scope ended, its one call came.
    pub retired_by: Option<&'static Location<'static>>,
    /// How long ago it was closed; `None` while it is live, if nobody ever did, and without `std`, where
    /// there is no clock.
    pub retired_for: Option<Duration>,
    /// Calls through this pointer that found no listener; wraps at 2^32.
    pub stale: u32,
    /// All calls through this pointer, where the pool counts them.
    pub calls: Option<u64>,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description { pool, slot, state, stale, .. } = self;
        write!(f, "slot {slot} of pool {pool}: {state:?}")?;
        if let Some(place) = self.holder {
            write!(f, ", taken at {place}")?;
        }
        if let Some(ago) = self.retired_for {
            write!(f, ", retired {ago:.1?} ago")?;
        }
        match (self.retired_by, self.retired_for) {
            (Some(place), Some(_)) => write!(f, " at {place}")?,
            (Some(place), None) => write!(f, ", retired at {place}")?,
            (None, Some(_)) => {
                f.write_str(" without a line: its guard was dropped, or its one call came")?
            }
            (None, None) => {}
        }
        write!(f, ", {stale} stale call{}", if *stale == 1 { "" } else { "s" })
    }
}

impl Core {
    pub(crate) fn describe(&self, index: usize) -> Description {
        let slot = &self.slots[index];
        let state = SlotState::of(slot);
        let open = matches!(state, SlotState::Live | SlotState::Reserved);
        let since = slot.since.load(Relaxed);
        let closed = since != 0 && !open;
        Description {
            pool: self.name,
            slot: index,
            state,
            holder: location(&slot.holder),
            retired_by: location(&slot.retirer).filter(|_| closed),
            retired_for: (closed && cfg!(feature = "std"))
                .then(|| Duration::from_nanos(now().saturating_sub(since))),
            stale: slot.stale.load(Relaxed),
            calls: (self.calls)().get(index).map(|calls| calls.load(Relaxed)),
        }
    }
}

/// Whose a pointer is: what [`describe`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// A thunk of a pool of this program, or of a library in it that uses the same copy of ringback.
    Thunk(Description),
    /// Some other code or data of the program.
    Other {
        /// The program or the shared library.
        object: String,
        /// The last symbol that the dynamic loader knows before the pointer, and how many bytes
        /// before. A program knows few of its own, unless it is linked with `-rdynamic`.
        symbol: Option<(String, usize)>,
    },
    /// Null, on a stack or heap, made at run time, or unloaded since.
    Unknown,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whose::Thunk(description) => description.fmt(f),
            Whose::Other { object, symbol: Some((name, offset)) } => {
                write!(f, "no thunk; {name}+{offset:#x} in {object}")
            }
            Whose::Other { object, symbol: None } => write!(f, "no thunk; in {object}"),
            Whose::Unknown => f.write_str("no thunk, and in no object that is loaded"),
        }
    }
}

/// Whose this pointer is, whatever it is: for a log, or by hand in a debugger.
///
/// Knows every pool of which a pointer was ever lent out. Reads nothing through the pointer.
///
/// ```
/// # ringback::callback_pool! {
/// #     static ON_LINE: Pool<extern "C" fn(number: u32) -> i32, 16>;
/// #     fallback = -1;
/// # }
/// use ringback::{SlotState, Whose, describe};
/// let registration = ON_LINE.register(|_| 0)?;
/// let pointer = registration.as_fn() as *const ();
/// registration.unregister()?;
/// let Whose::Thunk(slot) = describe(pointer) else { panic!("not a thunk") };
/// assert_eq!(slot.state, SlotState::Quarantined);
/// println!("{slot}"); // which pool and slot, who registered, who retired it and when
/// assert_eq!(describe(std::ptr::null()), Whose::Unknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn describe(pointer: *const ()) -> Whose {
    let ours = |core: &'static Core| core.lookup(pointer).map(|index| core.describe(index));
    if let Some(description) = process::pools().find_map(ours) {
        return Whose::Thunk(description);
    }
    match process::symbol(pointer) {
        Some(Symbol { object, symbol }) => Whose::Other { object, symbol },
        None => Whose::Unknown,
    }
}

static STOPS: AtomicBool = AtomicBool::new(false);

/// From now on a stale call aborts the process, after printing whose the pointer was, who retired it,
/// and the stack of the caller, C frames included. For debugging; false takes it back.
///
/// The frames have names as far as the program and its libraries have symbols.
///
/// ```
/// // At the start of the program: by a variable, so that whoever looks for a culprit need not build anew.
/// ringback::stop_on_stale_calls(std::env::var_os("STOP_ON_STALE_CALLS").is_some());
/// ```
pub fn stop_on_stale_calls(stop: bool) {
    STOPS.store(stop, Relaxed);
}

/// The debug policy, asked at each stale call.
pub(crate) fn stop_if_wanted(core: &'static Core, index: usize) {
    if STOPS.load(Relaxed) {
        let description = core.describe(index);
        #[cfg(feature = "std")]
        let stack = std::backtrace::Backtrace::force_capture();
        #[cfg(not(feature = "std"))]
        let stack = "(not known)";
        boundary::tell(format_args!("stale call: {description}; called by:\n{stack}"));
        boundary::abort();
    }
}
