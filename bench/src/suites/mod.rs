// SPDX-License-Identifier: MIT OR Apache-2.0

//! One module per question. A new suite is a module with a `SUITE`, one line in [`ALL`], and one in
//! `compare::SECTIONS`.

mod asynchronous;
mod compile;
mod dispatch;
mod expand;
mod hook;
mod outbound;
mod realtime;
mod register;

use crate::Result;
use crate::figure::Figure;

/// One question and how it is answered.
pub struct Suite {
    pub name: &'static str,
    /// Packages whose versions are printed.
    pub peers: &'static [&'static str],
    /// Whether the suite is run a second time with the portable table.
    pub portable: bool,
    pub run: fn() -> Result<Vec<Figure>>,
}

/// Every suite, in the order in which they are listed.
pub const ALL: &[Suite] = &[
    compile::SUITE,
    dispatch::SUITE,
    register::SUITE,
    realtime::SUITE,
    asynchronous::SUITE,
    outbound::SUITE,
    hook::SUITE,
    expand::SUITE,
];

/// Runs a suite's job for a process of its own, if this process was started for one.
pub fn child() -> Option<Result<()>> {
    realtime::child::run()
}
