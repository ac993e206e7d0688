// SPDX-License-Identifier: MIT OR Apache-2.0

//! Guards of both kinds, in each of their states.

use ringback::{Local, Pending, Quiet, Registration, Retired, Signature};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A guard that may stay on its thread, `Local`, or not.
pub(crate) enum Guard<S: Signature> {
    Registration(Registration<S>),
    LocalRegistration(Registration<S, Local>),
    Retired(Retired<S>),
    LocalRetired(Retired<S, Local>),
    Quiet(Quiet<S>),
    LocalQuiet(Quiet<S, Local>),
}

/// How to wait.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Wait,
    Try,
    Timeout,
    Poll,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Quiet,
    StillInside,
    NotYet,
    /// The future was polled once, and dropped with what it held.
    Dropped,
}

impl<S: Signature> Guard<S> {
    pub(crate) fn is_registration(&self) -> bool {
        matches!(self, Guard::Registration(_) | Guard::LocalRegistration(_))
    }

    pub(crate) fn is_retired(&self) -> bool {
        matches!(self, Guard::Retired(_) | Guard::LocalRetired(_))
    }

    pub(crate) fn is_proof(&self) -> bool {
        matches!(self, Guard::Quiet(_) | Guard::LocalQuiet(_))
    }

    /// What it says; `None` of a registration.
    pub(crate) fn is_quiet(&self) -> Option<bool> {
        match self {
            Guard::Registration(_) | Guard::LocalRegistration(_) => None,
            Guard::Retired(retired) => Some(retired.is_quiet()),
            Guard::LocalRetired(retired) => Some(retired.is_quiet()),
            Guard::Quiet(_) | Guard::LocalQuiet(_) => Some(true),
        }
    }

    pub(crate) fn retire(self) -> Self {
        match self {
            Guard::Registration(registration) => Guard::Retired(registration.retire()),
            Guard::LocalRegistration(registration) => Guard::LocalRetired(registration.retire()),
            other => other,
        }
    }

    pub(crate) fn confirm(self) {
        match self {
            Guard::Quiet(quiet) => quiet.confirm_forgotten(),
            Guard::LocalQuiet(quiet) => quiet.confirm_forgotten(),
            _ => unreachable!("asked of a proof only"),
        }
    }

    /// Waits; what is left of the guard.
    pub(crate) fn wait(self, how: How) -> (Waited, Option<Self>) {
        match self {
            Guard::Retired(retired) => wait(retired, how, Guard::Retired, Guard::Quiet),
            Guard::LocalRetired(retired) => {
                wait(retired, how, Guard::LocalRetired, Guard::LocalQuiet)
            }
            _ => unreachable!("asked of what is retired only"),
        }
    }
}

fn wait<S: Signature, M>(
    retired: Retired<S, M>,
    how: How,
    again: fn(Retired<S, M>) -> Guard<S>,
    quiet: fn(Quiet<S, M>) -> Guard<S>,
) -> (Waited, Option<Guard<S>>) {
    let answer = match how {
        How::Wait => retired.wait(),
        How::Try => return not_yet(retired.try_wait(), again, quiet),
        How::Timeout => {
            return not_yet(retired.wait_timeout(Duration::from_micros(50)), again, quiet);
        }
        How::Poll => {
            let mut future = retired.into_future();
            match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => answer,
                Poll::Pending => return (Waited::Dropped, None),
            }
        }
    };
    match answer {
        Ok(proof) => (Waited::Quiet, Some(quiet(proof))),
        Err(Pending::StillInside(retired)) => (Waited::StillInside, Some(again(retired))),
        Err(other) => panic!("nobody could have said: {other}"),
    }
}

fn not_yet<S: Signature, M>(
    answer: Result<Quiet<S, M>, Retired<S, M>>,
    again: fn(Retired<S, M>) -> Guard<S>,
    quiet: fn(Quiet<S, M>) -> Guard<S>,
) -> (Waited, Option<Guard<S>>) {
    match answer {
        Ok(proof) => (Waited::Quiet, Some(quiet(proof))),
        Err(retired) => (Waited::NotYet, Some(again(retired))),
    }
}
