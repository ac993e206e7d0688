//! Listeners that were put in the place of another: their headers are boxed, so a box may come to serve
//! another slot.

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
fn a_refused_call_does_not_keep_the_slot_that_its_box_serves_now() {
    model(3, || {
        let world = world(2);
        let (old, boxed, moved) = (Listener::new(), Listener::new(), Listener::new());
        let first = world.register(0, old);
        let link = world.replace(0, first, boxed);
        let call = thread::spawn(move || world.caller().call(0, 0, || ()));
        world.retire(0, link);
        if !boxed.is_dropped() {
            return; // the call was inside: the box is not free yet
        }
        // SAFETY: quiet, and its handle is not used again.
        unsafe { link.header().as_ref().renew(moved.erased()) };
        world.slots[1].pins.store(1, Relaxed);
        world.slots[1].publish(link);
        world.retire(1, link);
        call.join().unwrap();
        assert!(moved.is_dropped(), "the refused call must have swept");
    });
}
