// SPDX-License-Identifier: MIT OR Apache-2.0

//! Handlers that vsomeip copies, queues and forgets, and the proof that it has.
//!
//! # State
//! A [`Node`] is what the context of a C++ handler points at: the closure, and the gate that its
//! [`Handler`] guard shares. It is made by `adopt`, leaked into the C++ token, and comes back exactly
//! once, when the last copy of the `std::function` is gone. That happens inside vsomeip's mutexes: so
//! `handler_released` only pushes the node onto a lock-free stack and wakes the reaper, our own
//! thread, which drops the closure (user code) and then tells who waits.
//!
//! # Ordering
//! The stack: the pusher's Release pairs with the reaper's Acquire. The gate has its own page.

use super::bridge::ffi::RawMessage;
use super::gate::{Ending, Gate, is_inside, report};
use super::message::Message;
use super::spawn;
use cxx::SharedPtr;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

/// What a handler does. Each kind is called by the function of that name below.
pub(crate) enum Action {
    State(Box<dyn Fn(bool) + Send + Sync>),
    Message(Box<dyn Fn(&Message<'_>) + Send + Sync>),
    Availability(Box<dyn Fn(u16, u16, bool) + Send + Sync>),
    Subscription(Box<dyn Fn(u16, bool) -> bool + Send + Sync>),
    /// Told of those that are accepted, once they are in force; all are.
    Subscribed(Box<dyn Fn(u16, bool) + Send + Sync>),
    SubscriptionStatus(Box<dyn Fn(u16) + Send + Sync>),
    /// Called by C++ itself, as a bare pointer; this only learns that nobody can any more.
    Pointer(Box<dyn FnOnce() + Send>),
}

pub(crate) struct Node {
    next: *mut Node,
    action: Option<Action>,
    gate: Arc<Gate>,
    /// Dropped after the handler's own end has been told.
    _alive: Arc<Alive>,
}

/// Shared by all handlers of an application. The last one that vsomeip lets go of drops it.
pub(crate) struct Alive(pub(crate) Arc<Gate>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Whether this thread may not wait for an end: it runs a handler, or it is the reaper.
pub(crate) fn must_not_wait() -> bool {
    is_inside() || thread::current().id() == reaper().id()
}

/// The guard of a handler that vsomeip has. Dropping it closes the gate and waits for nobody.
#[must_use = "dropping it ends the handler"]
pub struct Handler {
    gate: Arc<Gate>,
    unregister: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Handler {
    /// Closes the gate, so that no call begins any more, and takes the handler out of vsomeip.
    pub fn unregister(mut self) -> Ending {
        self.end();
        Ending::new(Arc::clone(&self.gate))
    }

    fn end(&mut self) {
        self.gate.close();
        if let Some(unregister) = self.unregister.take() {
            unregister();
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("ended", &self.unregister.is_none()).finish()
    }
}

/// Makes a context for a C++ token and its guard. `register` gets the context; `unregister` takes the
/// handler out of vsomeip again.
pub(crate) fn adopt<E>(
    action: Action,
    alive: Arc<Alive>,
    register: impl FnOnce(usize) -> Result<(), E>,
    unregister: impl FnOnce() + Send + Sync + 'static,
) -> Result<Handler, E> {
    reaper();
    let gate = Arc::new(Gate::default());
    let node = Node {
        next: ptr::null_mut(),
        action: Some(action),
        gate: Arc::clone(&gate),
        _alive: alive,
    };
    LIVE.fetch_add(1, Relaxed);
    // The token owns the node from here on, also where registering fails: C++ makes it first.
    register(Box::into_raw(Box::new(node)) as usize)?;
    Ok(Handler { gate, unregister: Some(Box::new(unregister)) })
}

/// Contexts that are out in C++ or on their way to the reaper.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many handlers of this process vsomeip holds, or has let go of a moment ago.
pub fn live_handlers() -> usize {
    LIVE.load(Acquire)
}

/// # Safety
/// `context` comes from [`adopt`], and a copy of its token is alive.
unsafe fn node<'a>(context: usize) -> &'a Node {
    // SAFETY: the caller's promise; the node is freed only after the last token.
    unsafe { &*(context as *const Node) }
}

/// Runs one call behind the gate. A panic ends here: it is logged, and `None` is answered.
fn call<R>(context: usize, run: impl FnOnce(&Action) -> R) -> Option<R> {
    // SAFETY: C++ calls with the context of a token that the calling function object holds.
    let node = unsafe { node(context) };
    let action = node.action.as_ref()?;
    let called = catch_unwind(AssertUnwindSafe(|| node.gate.enter(|| run(action))));
    called.unwrap_or_else(|panic| {
        report("a vsomeip handler", panic);
        None
    })
}

pub(crate) fn handle_state(context: usize, registered: bool) {
    call(context, |action| {
        if let Action::State(run) = action {
            run(registered)
        }
    });
}

pub(crate) fn handle_message(context: usize, message: &SharedPtr<RawMessage>) {
    call(context, |action| {
        if let Action::Message(run) = action {
            run(&Message::new(message))
        }
    });
}

pub(crate) fn handle_availability(context: usize, service: u16, instance: u16, available: bool) {
    call(context, |action| {
        if let Action::Availability(run) = action {
            run(service, instance, available)
        }
    });
}

/// Accepts the subscription unless the handler says no; a handler that is gone says nothing.
pub(crate) fn handle_subscription(context: usize, client: u16, subscribed: bool) -> bool {
    let answer = call(context, |action| match action {
        Action::Subscription(run) => run(client, subscribed),
        _ => true,
    });
    answer.unwrap_or(true)
}

pub(crate) fn handle_subscribed(context: usize, client: u16, subscribed: bool) {
    call(context, |action| {
        if let Action::Subscribed(run) = action {
            run(client, subscribed)
        }
    });
}

pub(crate) fn handle_subscription_status(context: usize, error: u16) {
    call(context, |action| {
        if let Action::SubscriptionStatus(run) = action {
            run(error)
        }
    });
}

static RELEASED: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// The last copy of a token is gone. Under vsomeip's locks: pushes and wakes, and nothing else.
pub(crate) fn handler_released(context: usize) {
    let node = context as *mut Node;
    let mut head = RELEASED.load(Relaxed);
    loop {
        // SAFETY: the last token is gone, so this thread is the node's only owner.
        unsafe { (*node).next = head };
        match RELEASED.compare_exchange_weak(head, node, Release, Relaxed) {
            Ok(_) => break,
            Err(now) => head = now,
        }
    }
    reaper().unpark();
}

/// Our own thread, on which handlers are dropped. One per process, started with the first handler.
fn reaper() -> &'static Thread {
    static REAPER: OnceLock<Thread> = OnceLock::new();
    REAPER.get_or_init(|| {
        let spawned = spawn("ringback-reaper", || {
            loop {
                reap();
                thread::park();
            }
        });
        match spawned {
            Ok(handle) => handle.thread().clone(),
            // Without it nothing is ever dropped: safe, and said.
            Err(error) => {
                log::error!(
                    "handlers will not be freed, since no thread could be started: {error}"
                );
                thread::current()
            }
        }
    })
}

fn reap() {
    let mut head = RELEASED.swap(ptr::null_mut(), Acquire);
    // The stack has the newest on top; who waits longest is served first.
    let mut in_order = Vec::new();
    while !head.is_null() {
        // SAFETY: nodes on the stack are owned by it, and now by this thread.
        let node = unsafe { Box::from_raw(head) };
        head = node.next;
        in_order.push(node);
    }
    for mut node in in_order.into_iter().rev() {
        let action = node.action.take();
        let dropped = catch_unwind(AssertUnwindSafe(|| match action {
            Some(Action::Pointer(gone)) => gone(),
            other => drop(other),
        }));
        if let Err(panic) = dropped {
            report("dropping a vsomeip handler", panic);
        }
        LIVE.fetch_sub(1, Release);
        node.gate.finish();
    }
}
