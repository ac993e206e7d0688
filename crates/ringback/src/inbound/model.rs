// SPDX-License-Identifier: MIT OR Apache-2.0

//! loom explores every interleaving of the slot's state machine: `ci/loom.sh` runs these.
//!
//! What is modelled: slots, headers, thread records, the free list, the hand-over to a waiter, each
//! by the code that ships. What is not: that the light fence suffices against `membarrier(2)` (a
//! model runs full fences on both sides, see `sync`; `ci/litmus.sh` looks for a counter-example on
//! the machine), thread-local storage, and the drop of user values.

mod boxed;

use super::free::FreeList;
use super::record::{Record, Registry};
use super::slot::{Erased, HANDLE, Header, LISTENER, Link, QUIET, Slot};
use super::spare::Spares;
use super::waiter::{Waiter, poll_quiet};
use crate::sync::{AtomicPtr, AtomicUsize, Ordering::*, fence, light_fence};
use loom::cell::UnsafeCell;
use loom::thread;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::Context;

/// A listener whose every use loom watches: reading it while it is dropped fails the model.
struct Listener {
    alive: UnsafeCell<bool>,
    dropped: AtomicUsize,
}

impl Listener {
    fn new() -> &'static Listener {
        Box::leak(Box::new(Listener { alive: UnsafeCell::new(true), dropped: AtomicUsize::new(0) }))
    }

    fn erased(&'static self) -> Erased {
        unsafe fn never(_: *mut ()) {}
        fn never_called() {}
        Erased { call: never_called, data: ptr::from_ref(self).cast_mut().cast(), drop: never }
    }

    fn call(&self) {
        // SAFETY: loom checks that nobody writes meanwhile.
        self.alive.with(|alive| assert!(unsafe { *alive }, "called after it was dropped"));
    }

    fn drop_now(&self) {
        // SAFETY: loom checks that nobody reads meanwhile.
        self.alive.with_mut(|alive| unsafe { *alive = false });
        assert_eq!(self.dropped.fetch_add(1, Relaxed), 0, "dropped twice");
    }

    fn is_dropped(&self) -> bool {
        self.dropped.load(Relaxed) == 1
    }
}

/// One pool of the model, with the life of a slot as `core` leads it.
struct World {
    slots: Vec<Slot>,
    registry: Registry,
    free: FreeList,
    next_thread: AtomicUsize,
    spares: Spares,
}

fn world(slots: usize) -> &'static World {
    Box::leak(Box::new(World {
        slots: (0..slots).map(|_| Slot::new()).collect(),
        registry: Registry::new(),
        free: FreeList::new(),
        next_thread: AtomicUsize::new(1),
        spares: Spares::new(),
    }))
}

/// What a thread has: a record, and how deep it is.
struct Caller {
    world: &'static World,
    record: &'static Record,
}

impl World {
    fn caller(&'static self) -> Caller {
        let number = self.next_thread.fetch_add(1, Relaxed) as u64;
        Caller { world: self, record: self.registry.claim_or_allocate(number) }
    }

    fn register(&'static self, index: usize, listener: &'static Listener) -> Link {
        let slot = &self.slots[index];
        slot.pins.store(1, Relaxed);
        // SAFETY: the model's registrant owns the slot.
        let link = Link::new(unsafe { slot.prepare(listener.erased()) }, false);
        slot.publish(link);
        link
    }

    /// As `Registration::replace`, of the slot's first listener.
    fn replace(&'static self, index: usize, old: Link, new: &'static Listener) -> Link {
        let slot = &self.slots[index];
        // SAFETY: the model's registrant has the slot.
        let header = unsafe { self.spares.prepare(index, self.slots.len(), new.erased()) };
        let link = Link::new(header, false);
        slot.pins.fetch_add(1, Relaxed);
        assert!(slot.unlink(old, Some(link)));
        fence(SeqCst);
        slot.push(old.header());
        self.sweep(index);
        link
    }

    /// Closes, proves and sweeps, as `Core::close` and `Core::prove` do.
    fn retire(&'static self, index: usize, link: Link) -> bool {
        let closed = self.slots[index].unlink(link, None);
        if closed {
            fence(SeqCst);
            self.slots[index].push(link.header());
            self.sweep(index);
        }
        closed
    }

    fn sweep(&'static self, index: usize) {
        for header in self.slots[index].sweep(&self.registry) {
            self.finish(index, header);
        }
    }

    /// As `Core::finish`.
    fn finish(&'static self, index: usize, header: NonNull<Header>) {
        // SAFETY: its `LISTENER` bit is set.
        let this = unsafe { header.as_ref() };
        // SAFETY: quiet, as the model checks by `Listener`.
        let listener = unsafe { &*this.erased().data.cast::<Listener>() };
        listener.drop_now();
        let waiter = this.waiter.swap(QUIET, AcqRel);
        let before = this.state.fetch_and(!LISTENER, AcqRel);
        if before & HANDLE == 0 {
            self.unpin(index);
        }
        // SAFETY: ours since the swap.
        if let Some(waiter) = unsafe { Waiter::from_raw(waiter) } {
            waiter.wake();
        }
    }

    /// As `Core::drop_handle`.
    fn drop_handle(&'static self, index: usize, link: Link) {
        // SAFETY: its `HANDLE` bit is set.
        let before = unsafe { link.header().as_ref() }.state.fetch_and(!HANDLE, AcqRel);
        if before & LISTENER == 0 {
            self.unpin(index);
        }
    }

    fn unpin(&'static self, index: usize) {
        if self.slots[index].pins.fetch_sub(1, AcqRel) == 1 {
            self.free.put_back(&self.slots, index);
        }
    }
}

impl Caller {
    fn cell(&self, depth: usize) -> &'static AtomicPtr<Header> {
        &self.record.cells[depth]
    }

    /// One recorded call, as `dispatch` makes it; true if it reached a listener.
    fn call(&self, index: usize, depth: usize, inside: impl FnOnce()) -> bool {
        let slot = &self.world.slots[index];
        let cell = self.cell(depth);
        let entered = slot.enter(cell, false, light_fence);
        if let Some(header) = entered {
            // SAFETY: entered.
            let erased = unsafe { header.as_ref().erased() };
            // SAFETY: the model's listeners are leaked.
            let listener = unsafe { &*erased.data.cast::<Listener>() };
            listener.call();
            inside();
            listener.call();
        }
        let waits = match entered {
            Some(_) => slot.leave(cell, light_fence),
            None => slot.withdraw(light_fence),
        };
        if waits {
            self.world.sweep(index);
        }
        entered.is_some()
    }

    /// One counted call.
    fn call_counted(&self, index: usize) -> bool {
        let slot = &self.world.slots[index];
        let (phase, entered) = slot.enter_counted(false);
        if let Some(header) = entered {
            // SAFETY: entered.
            let erased = unsafe { header.as_ref().erased() };
            // SAFETY: the model's listeners are leaked.
            unsafe { &*erased.data.cast::<Listener>() }.call();
        }
        if slot.leave_counted(phase) {
            self.world.sweep(index);
        }
        entered.is_some()
    }
}

fn model(bound: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.max_branches = 20_000;
    builder.check(check);
}

#[test]
fn a_call_against_retire() {
    model(4, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let call = thread::spawn(move || world.caller().call(0, 0, || ()));
        assert!(world.retire(0, link));
        call.join().unwrap();
        assert!(listener.is_dropped(), "the retirer or the leaver must have dropped it");
        world.drop_handle(0, link);
    });
}

#[test]
fn two_calls_against_retire_the_last_one_out_drops() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let first = thread::spawn(move || world.caller().call(0, 0, || ()));
        let second = thread::spawn(move || world.caller().call(0, 0, || ()));
        world.retire(0, link);
        first.join().unwrap();
        second.join().unwrap();
        assert!(listener.is_dropped());
    });
}

#[test]
fn a_second_call_on_the_same_record_is_ordered_with_the_first() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let call = thread::spawn(move || {
            let caller = world.caller();
            caller.call(0, 0, || ());
            caller.call(0, 0, || ());
        });
        world.retire(0, link);
        call.join().unwrap();
        assert!(listener.is_dropped());
    });
}

#[test]
fn a_record_that_moved_on_to_another_slot_is_ordered_with_the_call_before() {
    model(3, || {
        let world = world(2);
        let (first, second) = (Listener::new(), Listener::new());
        let link = world.register(0, first);
        world.register(1, second);
        // Leaves without the fence, which is stronger in a model than in life and would order the
        // two calls by itself. So the last one out may go unnoticed here; what is checked is that
        // a sweep which finds the second call's header has seen the end of the first.
        let call = thread::spawn(move || {
            let caller = world.caller();
            if let Some(header) = world.slots[0].enter(caller.cell(0), false, light_fence) {
                // SAFETY: entered; the model's listeners are leaked.
                unsafe { &*header.as_ref().erased().data.cast::<Listener>() }.call();
                world.slots[0].leave(caller.cell(0), || ());
            }
            caller.call(1, 0, || ());
        });
        world.retire(0, link);
        call.join().unwrap();
    });
}

#[test]
fn a_nested_call_does_not_hide_the_outer_one() {
    model(3, || {
        let world = world(2);
        let (outer, inner) = (Listener::new(), Listener::new());
        let outer_link = world.register(0, outer);
        let inner_link = world.register(1, inner);
        let call = thread::spawn(move || {
            let caller = world.caller();
            caller.call(0, 0, || {
                caller.call(1, 1, || ());
            });
        });
        world.retire(0, outer_link);
        world.retire(1, inner_link);
        call.join().unwrap();
        assert!(outer.is_dropped() && inner.is_dropped());
    });
}

#[test]
fn retiring_from_inside_leaves_the_drop_to_the_leaving_call() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let other = thread::spawn(move || world.caller().call(0, 0, || ()));
        let caller = world.caller();
        let called = caller.call(0, 0, || {
            world.retire(0, link);
            assert!(!listener.is_dropped(), "dropped while this thread was inside");
        });
        other.join().unwrap();
        assert!(called && listener.is_dropped());
    });
}

#[test]
fn two_retirers_close_once() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let other = thread::spawn(move || world.retire(0, link));
        let mine = world.retire(0, link);
        let theirs = other.join().unwrap();
        assert!(mine != theirs && listener.is_dropped());
    });
}

#[test]
fn counted_calls_against_retire() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let counted = thread::spawn(move || world.caller().call_counted(0));
        let recorded = thread::spawn(move || world.caller().call(0, 0, || ()));
        world.retire(0, link);
        counted.join().unwrap();
        recorded.join().unwrap();
        assert!(listener.is_dropped());
    });
}

#[test]
fn a_reused_slot_never_shows_a_late_call_the_old_listener() {
    model(3, || {
        let world = world(1);
        let index = world.free.take(&world.slots).unwrap();
        let (first, second) = (Listener::new(), Listener::new());
        let link = world.register(index, first);
        let call = thread::spawn(move || {
            let caller = world.caller();
            caller.call(0, 0, || ());
        });
        world.retire(index, link);
        world.drop_handle(index, link);
        // Free only if the call was not inside any more; else the leaver gives it back.
        if world.free.take(&world.slots) == Some(index) {
            assert!(first.is_dropped());
            let link = world.register(index, second);
            call.join().unwrap();
            world.retire(index, link);
            assert!(second.is_dropped());
        } else {
            call.join().unwrap();
            assert!(first.is_dropped());
            assert_eq!(world.free.take(&world.slots), Some(index));
        }
    });
}

#[test]
fn slots_given_back_by_two_threads_are_both_found() {
    model(3, || {
        let world = world(2);
        assert_eq!(world.free.take(&world.slots), Some(0));
        assert_eq!(world.free.take(&world.slots), Some(1));
        let other = thread::spawn(move || world.free.put_back(&world.slots, 0));
        world.free.put_back(&world.slots, 1);
        let early = world.free.take(&world.slots);
        other.join().unwrap();
        let late = world.free.take(&world.slots);
        let mut both = [early.unwrap(), late.unwrap()];
        both.sort_unstable();
        assert_eq!(both, [0, 1]);
        assert_eq!(world.free.take(&world.slots), None);
    });
}

#[test]
fn the_slot_that_is_free_for_longest_is_taken_first() {
    model(1, || {
        let world = world(3);
        let take = || world.free.take(&world.slots);
        let put_back = |index| world.free.put_back(&world.slots, index);
        assert_eq!([take(), take(), take(), take()], [Some(0), Some(1), Some(2), None]);
        put_back(2);
        put_back(0);
        assert_eq!(take(), Some(2));
        put_back(1);
        put_back(2);
        assert_eq!([take(), take(), take(), take()], [Some(0), Some(1), Some(2), None]);
    });
}

#[test]
fn a_waiter_is_woken_or_sees_quiet() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        let call = thread::spawn(move || world.caller().call(0, 0, || ()));
        world.retire(0, link);
        // Blocks until woken: loom reports a deadlock if the wake-up is lost.
        loom::future::block_on(std::future::poll_fn(|context: &mut Context<'_>| {
            // SAFETY: its `HANDLE` bit is set.
            poll_quiet(unsafe { link.header().as_ref() }, context)
        }));
        assert!(listener.is_dropped());
        call.join().unwrap();
        world.drop_handle(0, link);
    });
}

#[test]
fn a_waiter_that_polls_twice_is_counted_once() {
    model(3, || {
        let world = world(1);
        let listener = Listener::new();
        let link = world.register(0, listener);
        // SAFETY: its `HANDLE` bit is set until the end.
        let header = unsafe { link.header().as_ref() };
        let count = Arc::new(());
        let waker = std::task::Waker::from(Arc::new(Counting(Arc::clone(&count))));
        let context = Context::from_waker(&waker);
        let finisher = thread::spawn(move || world.retire(0, link));
        let _ = poll_quiet(header, &context);
        let _ = poll_quiet(header, &context);
        finisher.join().unwrap();
        assert!(poll_quiet(header, &context).is_ready());
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "a waker is leaked or kept");
    });
}

struct Counting(#[allow(dead_code, reason = "counted by its drop")] Arc<()>);

impl std::task::Wake for Counting {
    fn wake(self: Arc<Self>) {}
}
