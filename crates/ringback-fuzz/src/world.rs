// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does each operation to the real pool and to the model, and compares what can be seen.

use crate::caller::{self, Event, Foreign};
use crate::model::{Closed, Id, Meets, Model, Way};
use crate::operation::{Call, Kind, Operation};
use crate::{Function, ON_PANIC, library};
use arbitrary::{Arbitrary, Unstructured};
use guards::Guard;
use ringback::signature::{Accepts, AcceptsMut, AcceptsOnce};
use ringback::{Full, Handle, Pool, Reserved, Signature, SlotState, retire_all};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

mod guards;
mod operations;

pub(crate) type Shared = Box<dyn Fn(i32) -> i32 + Send + Sync>;
type Exclusive = Box<dyn FnMut(i32) -> i32 + Send>;
type Once = Box<dyn FnOnce(i32) -> i32 + Send>;
pub(crate) type Local = Box<dyn Fn(i32) -> i32>;
type Static = fn(i32) -> i32;

/// The signature of every pool here.
pub(crate) trait Tested:
    Signature<Pointer = Function, Output = i32>
    + Accepts<Shared>
    + Accepts<Local>
    + Accepts<Static>
    + AcceptsMut<Exclusive>
    + AcceptsOnce<Once>
{
}

impl<S> Tested for S where
    S: Signature<Pointer = Function, Output = i32>
        + Accepts<Shared>
        + Accepts<Local>
        + Accepts<Static>
        + AcceptsMut<Exclusive>
        + AcceptsOnce<Once>
{
}

/// Nobody's number.
const STATIC: Id = usize::MAX;
/// How deep calls nest at most, on the thread that does everything.
const DEEPEST: usize = 60;

fn answer_of(id: Id, argument: i32) -> i32 {
    argument.wrapping_mul(31).wrapping_add(id as i32).wrapping_add(1000)
}

fn static_listener(argument: i32) -> i32 {
    caller::inside(None);
    answer_of(STATIC, argument)
}

/// What a listener captures: tells how often it was dropped.
pub(crate) struct Token {
    id: Id,
    drops: Arc<AtomicUsize>,
}

impl Token {
    fn answer(&self, argument: i32) -> i32 {
        caller::inside(Some(self.id));
        answer_of(self.id, argument)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.drops.fetch_add(1, SeqCst);
    }
}

/// A thread that is inside a listener.
struct Parked {
    thread: Foreign,
    id: Id,
    way: Way,
    argument: i32,
}

struct State<S: Signature> {
    model: Model,
    /// The slots that operations name by number.
    slots: Vec<usize>,
    guards: Vec<(Id, Guard<S>)>,
    reserved: Vec<Reserved<S>>,
    handles: Vec<Handle>,
    parked: Vec<Parked>,
    idle: Vec<Foreign>,
    /// By listener.
    drops: Vec<Arc<AtomicUsize>>,
    depth: usize,
}

struct World<'a, S: Signature> {
    pool: &'static Pool<S>,
    state: RefCell<State<S>>,
    done: &'a Cell<usize>,
    /// `RINGBACK_FUZZ_TRACE` prints what is done, for whoever looks into a failure.
    trace: bool,
}

/// Does what the bytes say, puts everything back, and returns what is known of the pool then.
pub(crate) fn run<S: Tested>(
    pool: &'static Pool<S>,
    model: Model,
    bytes: &mut Unstructured<'_>,
    done: &Cell<usize>,
) -> Model {
    let mut slots = model.next_slots();
    slots.truncate(6);
    if slots.is_empty() {
        slots.extend(0..4); // of a pool that has used each slot once
    }
    let world = World {
        pool,
        state: RefCell::new(State {
            model,
            slots,
            guards: Vec::new(),
            reserved: Vec::new(),
            handles: Vec::new(),
            parked: Vec::new(),
            idle: Vec::new(),
            drops: Vec::new(),
            depth: 0,
        }),
        done,
        trace: std::env::var_os("RINGBACK_FUZZ_TRACE").is_some(),
    };
    while !bytes.is_empty()
        && let Ok(operation) = Operation::arbitrary(bytes)
    {
        world.step(operation);
    }
    world.end()
}

impl<S: Tested> World<'_, S> {
    fn step(&self, operation: Operation) {
        self.done.set(self.done.get() + 1);
        if self.trace {
            eprintln!("{operation:?}");
        }
        match operation {
            Operation::Call(call) => self.call(call),
            other => self.state.borrow_mut().apply(self.pool, other),
        }
        self.check();
    }

    /// Calls from here; the listener does what the call says.
    fn call(&self, call: Call) {
        let slot = {
            let state = self.state.borrow();
            state.slots[usize::from(call.slot) % state.slots.len()]
        };
        let function = self.pool.thunk(slot).expect("a slot of the pool");
        self.call_slot(function, slot, call);
    }

    fn call_slot(&self, function: Function, slot: usize, call: Call) {
        let meets = {
            let mut state = self.state.borrow_mut();
            if state.depth == DEEPEST {
                return;
            }
            state.depth += 1;
            state.model.call(slot, true)
        };
        let argument = call.argument;
        match meets {
            Meets::Nobody(answer) => assert_eq!(function(argument), answer, "of slot {slot}"),
            Meets::Listener(id, way) => {
                let panics = call.panics;
                let entered = Rc::new(Cell::new(false));
                let script = {
                    let (world, entered) = (std::ptr::from_ref(self).cast::<()>(), entered.clone());
                    let inside = move |told: Option<Id>| {
                        // SAFETY: the script runs during the call below, where the world is borrowed.
                        let world = unsafe { &*world.cast::<World<'_, S>>() };
                        assert!(told.is_none_or(|told| told == id), "{told:?} instead of {id}");
                        entered.set(true);
                        world.inside(function, slot, call);
                        panics
                    };
                    Box::new(inside)
                };
                let answer = caller::call(function, argument, script);
                assert!(entered.get(), "slot {slot} did not reach listener {id}: {answer}");
                let mut state = self.state.borrow_mut();
                state.model.leave(id, way, true, panics);
                let expected = if panics { ON_PANIC } else { state.answer_of(id, argument) };
                assert_eq!(answer, expected, "of listener {id}");
            }
        }
        self.state.borrow_mut().depth -= 1;
    }

    /// What the listener does.
    fn inside(&self, function: Function, slot: usize, mut call: Call) {
        if call.nested > 0 {
            call.nested -= 1;
            call.panics = false;
            self.call_slot(function, slot, call);
            return;
        }
        for operation in call.inside {
            self.step(operation);
        }
    }

    /// Everything that can be seen is as the model says.
    fn check(&self) {
        let state = self.state.borrow();
        let model = &state.model;
        for &index in &state.slots {
            let pointer = self.pool.thunk(index).expect("a slot of the pool");
            let seen = self.pool.describe(pointer).expect("a pointer of the pool");
            let slot = &model.slots[index];
            assert_eq!(
                (seen.slot, seen.state, seen.stale, seen.calls),
                (index, slot.state, slot.stale, Some(slot.calls))
            );
            let closed = match (seen.retired_for, seen.retired_by) {
                (None, None) => None,
                (None, Some(line)) => panic!("closed at {line}, and not closed"),
                (Some(_), Some(_)) => Some(Closed::ByLine),
                (Some(_), None) => Some(Closed::Silently),
            };
            assert_eq!(closed, slot.closed(), "of slot {index}");
        }
        let stats = self.pool.stats();
        assert_eq!(
            (stats.stale, stats.panicked, stats.busy, stats.wrong_thread, stats.unproved),
            (model.stale, model.panicked, model.busy, model.wrong_thread, 0)
        );
        let census = stats.census;
        let count = |of: &[SlotState]| model.count(of);
        assert_eq!(census.free, count(&[SlotState::Free]));
        assert_eq!(census.reserved, count(&[SlotState::Reserved]));
        assert_eq!(census.live, count(&[SlotState::Live]));
        assert_eq!(census.retired, count(&[SlotState::Retired, SlotState::Confirmed]));
        assert_eq!(census.quarantined, count(&[SlotState::Quarantined]));
        assert_eq!(census.spent, count(&[SlotState::Spent]));
        let held = census.reserved + census.live + census.retired;
        assert_eq!(self.pool.registrations().len(), held);
        state.check_drops();
        for (id, guard) in &state.guards {
            if let Some(quiet) = guard.is_quiet() {
                assert_eq!(quiet, model.listeners[*id].is_quiet(), "of listener {id}");
            }
        }
    }

    /// Lets everybody leave, gives everything back, and leaves the pool to the next run.
    fn end(self) -> Model {
        while !self.state.borrow().parked.is_empty() {
            self.step(Operation::Release { which: 0, panics: false });
        }
        while !self.state.borrow().guards.is_empty() {
            self.step(Operation::DropGuard { which: 0 });
        }
        while !self.state.borrow().reserved.is_empty() {
            self.step(Operation::DropReserved { which: 0 });
        }
        while !self.state.borrow().handles.is_empty() {
            self.step(Operation::DropHandle { which: 0 });
        }
        let slots = self.state.borrow().slots.len();
        for slot in 0..slots {
            self.step(Operation::ConfirmPointer { slot: slot as u8 });
        }
        self.step(Operation::LibraryUnregisters);
        let mut state = self.state.into_inner();
        for (id, listener) in state.model.listeners.iter().enumerate() {
            assert!(listener.is_dropped(), "listener {id} is left in slot {}", listener.slot);
        }
        state.model.listeners.clear();
        state.model
    }
}
