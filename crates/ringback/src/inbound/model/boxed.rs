// SPDX-License-Identifier: MIT OR Apache-2.0

//! Listeners that were put in the place of another: their headers are boxed, and a box serves its slot
//! again.

use super::*;

#[test]
fn replacing_loses_no_call_and_drops_the_old_one() {
    model(3, || {
        let world = world(1);
        let (old, new) = (Listener::new(), Listener::new());
        let link = world.register(0, old);
        let call = thread::spawn(move || {
            let caller = world.caller();
            // A refused entry is tried again, as `admit` does while the slot is open.
            while !caller.call(0, 0, || ()) {
                thread::yield_now();
            }
        });
        let boxed = world.replace(0, link, new);
        call.join().unwrap();
        assert!(old.is_dropped() && !new.is_dropped());
        world.drop_handle(0, link);
        world.retire(0, boxed);
        assert!(new.is_dropped());
        world.drop_handle(0, boxed);
        assert_eq!(world.free.take(&world.slots), Some(0));
    });
}

#[test]
fn counted_calls_that_overlap_still_let_a_replaced_listener_go() {
    model(2, || {
        let world = world(1);
        let (old, new) = (Listener::new(), Listener::new());
        let link = world.register(0, old);
        let calls = thread::spawn(move || {
            let caller = world.caller();
            caller.call_counted(0);
            caller.call_counted(0);
        });
        let boxed = world.replace(0, link, new);
        calls.join().unwrap();
        assert!(old.is_dropped() && !new.is_dropped());
    });
}

#[test]
fn a_box_that_is_used_again_shows_a_late_call_the_new_listener_or_none() {
    model(3, || {
        let world = world(1);
        let listeners = [(); 4].map(|()| Listener::new());
        let first = world.register(0, listeners[0]);
        let link = world.replace(0, first, listeners[1]);
        let call = thread::spawn(move || world.caller().call(0, 0, || ()));
        // Its own header first, then the box again, if the call has not kept it.
        let next = world.replace(0, link, listeners[2]);
        world.drop_handle(0, link);
        let last = world.replace(0, next, listeners[3]);
        world.retire(0, last);
        call.join().unwrap();
        assert!(listeners.iter().all(|listener| listener.is_dropped()), "the last one out sweeps");
        for link in [first, next, last] {
            world.drop_handle(0, link);
        }
        assert_eq!(world.free.take(&world.slots), Some(0));
    });
}

#[test]
fn a_box_is_taken_with_all_that_was_done_to_it() {
    model(3, || {
        let world = world(1);
        // SAFETY: the only one who takes.
        let take = || unsafe { world.spares.prepare(0, 1, Listener::new().erased()) };
        let (one, other) = (take(), take());
        let left = [one, other].map(|header| {
            let header = AtomicPtr::new(header.as_ptr());
            thread::spawn(move || {
                let header = NonNull::new(header.load(Relaxed)).unwrap();
                // SAFETY: never published.
                unsafe { header.as_ref().take_erased() };
            })
        });
        // loom fails the model if what another thread did there could be overlooked.
        let again = take();
        left.map(|thread| thread.join().unwrap());
        let others = [take(), take()];
        assert!(others[0] != others[1] && !others.contains(&again), "a box is taken by one");
    });
}
