// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can be done to a pool. Numbers choose among what there is at the moment, so that nearly every
//! operation means something.

use arbitrary::{Arbitrary, Result, Unstructured};

/// What kind of listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub(crate) enum Kind {
    Shared,
    Exclusive,
    Once,
    Local,
    Static,
    /// Holds a handle to its own registration.
    WithHandle,
}

/// One call, on the thread that does everything.
#[derive(Debug, Clone, Arbitrary)]
pub(crate) struct Call {
    pub(crate) slot: u8,
    pub(crate) argument: i32,
    /// How often the listener calls its own slot before it does what is `inside`.
    #[arbitrary(with = |bytes: &mut Unstructured<'_>| bytes.int_in_range(0..=20))]
    pub(crate) nested: u8,
    #[arbitrary(with = few)]
    pub(crate) inside: Vec<Operation>,
    pub(crate) panics: bool,
}

#[derive(Debug, Clone, Arbitrary)]
pub(crate) enum Operation {
    Register {
        kind: Kind,
    },
    Reserve,
    Bind {
        which: u8,
        exclusive: bool,
    },
    DropReserved {
        which: u8,
    },
    Call(Call),
    /// Another thread calls and stays inside.
    Park {
        slot: u8,
        argument: i32,
    },
    /// .. and leaves.
    Release {
        which: u8,
        panics: bool,
    },
    Replace {
        which: u8,
        keep: bool,
    },
    Retire {
        which: u8,
    },
    RetireAll,
    RetireByHandle {
        which: u8,
    },
    DropHandle {
        which: u8,
    },
    Unregister {
        which: u8,
    },
    /// Whatever the guard is.
    DropGuard {
        which: u8,
    },
    Wait {
        which: u8,
    },
    TryWait {
        which: u8,
    },
    WaitTimeout {
        which: u8,
    },
    Poll {
        which: u8,
    },
    ConfirmQuiet {
        which: u8,
    },
    ConfirmPointer {
        slot: u8,
    },
    LibraryRegisters {
        summand: i32,
    },
    LibraryUnregisters,
    LibraryIsUnloaded,
    LibraryIsCalled {
        argument: i32,
    },
}

/// A few operations to do inside a listener. They end where the bytes do, and so does their nesting.
fn few(bytes: &mut Unstructured<'_>) -> Result<Vec<Operation>> {
    let number = bytes.int_in_range(0..=3)?;
    (0..number).map(|_| Operation::arbitrary(bytes)).collect()
}
