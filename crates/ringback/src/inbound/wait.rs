// SPDX-License-Identifier: MIT OR Apache-2.0

//! Waiting for quiet: parking a thread or a task until the last call has left, and finding out when
//! that can never happen.
//!
//! A thread that waits while it is itself inside a listener publishes what it is inside of and what
//! it waits for. The waits of all threads form a graph: a wait for a listener leads to every waiting
//! thread that is inside that listener. The thread whose wait would close a circle is told so
//! instead of waiting. Waits with a time limit end by themselves and are not part of the graph, nor
//! is waiting that foreign code does on its own locks, which only a time limit can end.

use super::core::Lease;
use super::record::THREADS;
use super::thread;
use super::waiter::poll_quiet;
use crate::observer::{Event, report};
use crate::sync::{AtomicBool, Ordering::*};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Why a wait ended without quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotQuiet {
    StillInside,
    WouldDeadlock,
    Unprovable,
    Vanished,
    TimedOut,
}

/// How a wait may end.
#[derive(Clone, Copy)]
pub(crate) enum Patience {
    /// Until quiet, or until it is known that it will not come.
    Unlimited,
    /// Until then at the latest.
    Until(Instant),
    /// The end of a scope: nothing but quiet will do.
    Scope,
}

impl Patience {
    /// At most so long; a limit beyond what the clock can express is none.
    pub(crate) fn at_most(limit: Duration) -> Self {
        Instant::now().checked_add(limit).map_or(Patience::Unlimited, Patience::Until)
    }
}

/// A waker that wakes one thread.
pub(crate) struct Unpark(Thread, AtomicBool);

impl Unpark {
    pub(crate) fn this_thread() -> Arc<Self> {
        Arc::new(Unpark(std::thread::current(), AtomicBool::new(false)))
    }

    /// Blocks until it is woken, or the time has come. May return early.
    pub(crate) fn park(&self, deadline: Option<Instant>) {
        while !self.1.swap(false, Acquire) {
            match deadline {
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    std::thread::park_timeout(left);
                }
                None => std::thread::park(),
            }
        }
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, Release);
        self.0.unpark();
    }
}

/// One blocked wait of a thread that is inside listeners.
struct Edge {
    thread: u64,
    inside: Vec<usize>,
    target: usize,
    /// A scope cannot give up its wait; somebody else in the circle must.
    scope: bool,
    told: Arc<AtomicBool>,
    waker: Waker,
}

/// Held for look-ups only: wakers are called after unlocking.
static EDGES: Mutex<Vec<Edge>> = Mutex::new(Vec::new());

/// Keeps the graph as it is: for the thread that forks.
pub(crate) struct Locked {
    _edges: MutexGuard<'static, Vec<Edge>>,
}

pub(crate) fn lock() -> Locked {
    Locked { _edges: EDGES.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// In the child of a fork nobody else waits.
pub(crate) fn after_fork() {
    EDGES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|edge| edge.thread == thread::number());
}

/// The waits on a way from `target` to one of `inside`, if there is one.
fn circle(edges: &[Edge], target: usize, inside: &[usize]) -> Option<Vec<usize>> {
    let mut open: Vec<(usize, Vec<usize>)> = vec![(target, Vec::new())];
    let mut seen = vec![target];
    while let Some((target, way)) = open.pop() {
        if inside.contains(&target) {
            return Some(way);
        }
        for (i, edge) in edges.iter().enumerate() {
            if edge.inside.contains(&target) && !seen.contains(&edge.target) {
                seen.push(edge.target);
                let mut longer = way.clone();
                longer.push(i);
                open.push((edge.target, longer));
            }
        }
    }
    None
}

/// Takes the calling thread's wait out of the graph again.
struct Published(u64);

impl Drop for Published {
    fn drop(&mut self) {
        let mut edges = EDGES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = edges.iter().rposition(|edge| edge.thread == self.0) {
            drop(edges.swap_remove(mine));
        }
    }
}

/// How long to wait before asking again whether the threads that are inside still exist.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whether quiet will never come, since the thread of a call that is inside is gone, or the one that
/// was about to drop the listener. Of calls that are counted only a fork says so.
pub(crate) fn is_vanished(lease: &Lease) -> bool {
    let header = lease.header();
    !header.is_quiet()
        && (header.is_lost()
            || lease.core.slots[lease.index].is_left_behind()
            || THREADS.holds_vanished(ptr::from_ref(header).cast_mut()))
}

/// Blocks until the lease's listener is quiet.
pub(crate) fn wait(lease: &Lease, patience: Patience) -> Result<(), NotQuiet> {
    let header = lease.header();
    if header.is_quiet() {
        return Ok(());
    }
    while !lease.prove_again() {
        match patience {
            // Nothing can be proved and nothing may be freed: wait, in case the filter is lifted.
            Patience::Scope => std::thread::sleep(Duration::from_millis(100)),
            _ => return Err(NotQuiet::Unprovable),
        }
    }
    let target = ptr::from_ref(header).addr();
    let inside: Vec<usize> = thread::inside().into_iter().map(|header| header.addr()).collect();
    if thread::is_inside(ptr::from_ref(header).cast_mut()) && !header.is_quiet() {
        return Err(NotQuiet::StillInside);
    }
    let parker = Unpark::this_thread();
    let waker = Waker::from(Arc::clone(&parker));
    let told = Arc::new(AtomicBool::new(false));
    let published = match patience {
        Patience::Until(_) => None,
        _ if inside.is_empty() => None,
        _ => Some(publish(lease, target, inside, patience, &told, &waker)?),
    };
    let context = Context::from_waker(&waker);
    let result = loop {
        if poll_quiet(header, &context).is_ready() {
            break Ok(());
        }
        if told.load(Acquire) {
            break Err(NotQuiet::WouldDeadlock);
        }
        let deadline = match patience {
            Patience::Until(deadline) => Some(deadline),
            Patience::Unlimited | Patience::Scope => None,
        };
        let in_vain = if is_vanished(lease) {
            Some(NotQuiet::Vanished)
        } else {
            // The barrier of somebody else who has closed it may have been refused since.
            (!lease.prove_again()).then_some(NotQuiet::Unprovable)
        };
        if let Some(why) = in_vain
            && !matches!(patience, Patience::Scope)
        {
            break Err(why);
        }
        // Not for ever, since a thread that vanishes wakes nobody, and sweeps nothing.
        lease.core.sweep(lease.index);
        let look_again = Instant::now().checked_add(LOOK_AGAIN);
        parker.park(deadline.into_iter().chain(look_again).min());
        if let Some(deadline) = deadline
            && Instant::now() >= deadline
            && !header.is_quiet()
        {
            break Err(NotQuiet::TimedOut);
        }
    };
    drop(published);
    result
}

/// Puts this thread's wait into the graph, unless that closes a circle.
fn publish(
    lease: &Lease,
    target: usize,
    inside: Vec<usize>,
    patience: Patience,
    told: &Arc<AtomicBool>,
    waker: &Waker,
) -> Result<Published, NotQuiet> {
    let scope = matches!(patience, Patience::Scope);
    let mut edges = EDGES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut victim = None;
    let mut hopeless = false;
    if let Some(way) = circle(&edges, target, &inside) {
        if !scope {
            return Err(NotQuiet::WouldDeadlock);
        }
        match way.iter().map(|&i| &edges[i]).find(|edge| !edge.scope) {
            Some(edge) => {
                edge.told.store(true, Release);
                victim = Some(edge.waker.clone());
            }
            None => hopeless = true,
        }
    }
    let me = thread::number();
    let (told, waker) = (Arc::clone(told), waker.clone());
    edges.push(Edge { thread: me, inside, target, scope, told, waker });
    drop(edges);
    if let Some(victim) = victim {
        victim.wake();
    }
    if hopeless {
        report(&Event::ScopeDeadlock { pool: lease.core.name });
    }
    Ok(Published(me))
}

#[cfg(all(test, not(ringback_loom)))]
mod tests {
    use super::*;

    /// A thread inside of some listeners that waits for another.
    fn edge(inside: &[usize], target: usize) -> Edge {
        let told = Arc::new(AtomicBool::new(false));
        let waker = Waker::noop().clone();
        Edge { thread: 0, inside: inside.to_vec(), target, scope: false, told, waker }
    }

    #[test]
    fn circles_are_found_and_ways_that_meet_again_are_not_circles() {
        // From 1 two ways lead to 4, and from there one to 5.
        let edges = [edge(&[1], 2), edge(&[1], 3), edge(&[2], 4), edge(&[3], 4), edge(&[4], 5)];
        assert_eq!(circle(&edges, 1, &[6]), None);
        assert_eq!(circle(&edges, 1, &[2]), Some(vec![0]));
        assert_eq!(circle(&edges, 1, &[5]).map(|way| way.len()), Some(3));
        assert_eq!(circle(&edges, 7, &[7]), Some(vec![]), "for oneself");
        assert_eq!(circle(&[], 1, &[2]), None);
    }
}
