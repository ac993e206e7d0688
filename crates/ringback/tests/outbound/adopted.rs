// SPDX-License-Identifier: MIT OR Apache-2.0

//! Foreign functions that Rust keeps, calls and releases.

use crate::foreign::{Seen, object};
use ringback::abi::{Malformed, RbCallback, Status};
use ringback::{Callback, ForeignError};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

ringback::callback_type! {
    /// Told whether the door is open.
    pub struct OnDoor: fn(open: bool) -> i32
}

fn door(can_be_copied: bool) -> (OnDoor, &'static Seen) {
    let (raw, seen) = object(can_be_copied);
    (unsafe { OnDoor::from_raw(raw) }, seen)
}

fn adopted(can_be_copied: bool) -> (Callback<OnDoor>, &'static Seen) {
    let (door, seen) = door(can_be_copied);
    (door.adopt().expect("well-formed"), seen)
}

#[test]
fn calls_arrive_and_their_answers_come_back() {
    let (door, seen) = adopted(true);
    seen.answers.store(40, SeqCst);
    assert_eq!(door.call(true), Ok(41));
    assert_eq!(door.call(false), Ok(40));
    assert_eq!(seen.calls.load(SeqCst), 2);
}

#[test]
fn the_last_clone_releases_once_and_weak_ones_know() {
    let (door, seen) = adopted(true);
    let clones: Vec<_> = (0..10).map(|_| door.clone()).collect();
    let weak = door.downgrade();
    assert_eq!(door.strong_count(), 11);
    assert!(door.ptr_eq(&clones[3]));
    assert_eq!(seen.references.load(SeqCst), 1, "clones are counted in Rust");
    drop(door);
    assert!(weak.upgrade().is_some());
    drop(clones);
    assert!(weak.upgrade().is_none());
    assert_eq!(seen.releases.load(SeqCst), 1);
}

#[test]
fn a_struct_that_is_never_adopted_is_released() {
    let (door, seen) = door(true);
    drop(door);
    assert_eq!(seen.releases.load(SeqCst), 1);
}

#[test]
fn an_exception_is_an_error_with_its_text_and_its_owner_is_freed() {
    let (door, seen) = adopted(true);
    seen.throws.store(true, SeqCst);
    let error = door.call(true).expect_err("throws");
    assert_eq!(error.status(), Status::ERROR);
    assert_eq!(error.to_string(), "exception: no such door \u{1F6AA}");
    assert_eq!(seen.errors_freed.load(SeqCst), 1);
}

#[test]
fn what_is_malformed_is_refused_with_the_remedy_and_comes_back() {
    type Spoil = fn(&mut RbCallback);
    let cases: [(Spoil, Malformed, &str, usize); 4] = [
        (|raw| raw.size = 24, Malformed::Size { found: 24 }, "RB_CALLBACK_INIT", 0),
        (|raw| raw.abi = 7, Malformed::Version { found: 7 }, "same major version", 0),
        (|raw| raw.call = None, Malformed::NoCall, "nothing to call", 1),
        (|raw| raw.release = None, Malformed::NoRelease, "set both", 0),
    ];
    for (spoil, reason, remedy, releases) in cases {
        let (mut raw, seen) = object(true);
        spoil(&mut raw);
        let error = unsafe { OnDoor::from_raw(raw) }.adopt().expect_err("malformed");
        assert_eq!(error.reason, reason);
        assert!(error.to_string().contains(remedy), "{error}");
        let back: OnDoor = error.callback;
        drop(back);
        assert_eq!(
            seen.releases.load(SeqCst),
            releases,
            "{reason:?}: released if it can be trusted"
        );
    }
    let null: RbCallback = unsafe { std::mem::zeroed() };
    let error = unsafe { OnDoor::from_raw(null) }.adopt().expect_err("all null");
    assert_eq!(error.reason, Malformed::Size { found: 0 });
}

#[test]
fn an_unknown_status_is_an_error_without_text() {
    ringback::callback_type!(struct OnNothing: fn());
    unsafe extern "C" fn odd(_: *mut core::ffi::c_void, _: *mut ringback::abi::RbError) -> i32 {
        -77
    }
    let raw = RbCallback {
        call: Some(unsafe {
            std::mem::transmute::<*const (), unsafe extern "C" fn()>(odd as *const ())
        }),
        retain: None,
        release: None,
        ..object(true).0
    };
    let error = unsafe { OnNothing::from_raw(raw) }.adopt().expect("well-formed").call();
    let error = error.expect_err("not ok");
    assert_eq!(error.status(), Status(-77));
    assert_eq!(error.to_string(), "the callback answered: status -77");
}

#[test]
fn the_release_is_posted_to_a_chosen_thread() {
    let (raw, seen) = object(true);
    let (post, posted) = mpsc::channel();
    let door = Callback::adopt_and_post(unsafe { OnDoor::from_raw(raw) }, move |release| {
        post.send(release).expect("the other thread listens");
    })
    .expect("well-formed");
    let other = thread::spawn(move || {
        let release = posted.recv().expect("one");
        assert_eq!(seen.releases.load(SeqCst), 0, "not before it arrives");
        drop(release);
        assert!(posted.recv().is_err(), "once");
        thread::current().id()
    });
    drop(door);
    let id = other.join().expect("no panic");
    assert_eq!(*seen.released_on.lock().unwrap(), Some(id));
    assert_eq!(seen.releases.load(SeqCst), 1);
}

#[test]
fn given_to_foreign_code_again_it_counts_there_or_here() {
    for can_be_copied in [true, false] {
        let (door, seen) = adopted(can_be_copied);
        seen.answers.store(6, SeqCst);
        let second = door.to_foreign();
        assert_eq!(seen.references.load(SeqCst), if can_be_copied { 2 } else { 1 });
        drop(door);
        let second = second.adopt().expect("well-formed");
        let third = second.to_foreign().adopt().expect("well-formed");
        drop(second);
        assert_eq!(third.call(true), Ok(7));
        seen.throws.store(true, SeqCst);
        assert!(third.call(true).expect_err("throws").text().contains("no such door"));
        assert_eq!(seen.releases.load(SeqCst), usize::from(can_be_copied) * 2);
        drop(third);
        assert_eq!(seen.references.load(SeqCst), 0, "copied: {can_be_copied}");
    }
}

#[test]
fn its_last_clone_may_go_inside_its_own_call() {
    static KEPT: Mutex<Option<Callback<OnDoor>>> = Mutex::new(None);
    let inner = OnDoor::new(|_| {
        drop(KEPT.lock().unwrap().take());
        5
    });
    *KEPT.lock().unwrap() = Some(inner.adopt().expect("well-formed"));
    let clone = KEPT.lock().unwrap().clone().expect("kept");
    let weak = clone.downgrade();
    assert_eq!(clone.call(true), Ok(5));
    drop(clone);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_storm_of_clones_calls_and_drops_releases_once() {
    let _watchdog = crate::common::watchdog("a storm of clones");
    const ROUNDS: usize = 50;
    for _ in 0..ROUNDS {
        let (door, seen) = adopted(true);
        let weak = door.downgrade();
        let start = Arc::new(Barrier::new(4));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (door, weak, start) = (door.clone(), weak.clone(), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    for _ in 0..50 {
                        door.clone().call(true).expect("answers");
                    }
                    drop(door);
                    // Bounded: four that do so keep each other's callback alive.
                    for late in (0..100).map_while(|_| weak.upgrade()) {
                        late.call(false).expect("answers");
                    }
                })
            })
            .collect();
        drop(door);
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert_eq!(seen.releases.load(SeqCst), 1);
        assert_eq!(seen.calls_after_release.load(SeqCst), 0);
    }
}

#[test]
fn a_plain_c_function_lives_for_ever() {
    extern "C" fn negate(open: bool) -> i32 {
        i32::from(!open)
    }
    let door = unsafe { OnDoor::of_function(negate) }.adopt().expect("well-formed");
    assert_eq!(door.call(false), Ok(1));
    let again = door.to_foreign().adopt().expect("well-formed");
    drop(door);
    assert_eq!(again.call(true), Ok(0));
}

#[test]
fn errors_can_be_made_of_texts() {
    assert_eq!(ForeignError::from("no").to_string(), "no");
    let cancelled = ForeignError::with_status(Status::CANCELLED, "");
    assert_eq!(cancelled.to_string(), "the callback answered: cancelled");
    assert_eq!(ForeignError::with_status(Status::OK, "x").status(), Status::ERROR);
}

#[test]
fn a_forwarder_may_be_released_inside_its_own_call() {
    struct Kept(RbCallback, usize);
    // SAFETY: plain data.
    unsafe impl Send for Kept {}
    static KEPT: Mutex<Option<Kept>> = Mutex::new(None);
    unsafe extern "C" fn ends_itself(
        context: *mut core::ffi::c_void,
        _: bool,
        out: *mut i32,
        _: *mut ringback::abi::RbError,
    ) -> i32 {
        let Kept(forwarder, seen) = KEPT.lock().unwrap().take().expect("set");
        unsafe { forwarder.release() };
        let seen = unsafe { &*(seen as *const Seen) };
        assert_eq!(seen.releases.load(SeqCst), 0, "not under the call");
        assert!(std::ptr::eq(context.cast(), seen));
        unsafe { out.write(4) };
        0
    }
    let (mut raw, seen) = object(false);
    raw.call = Some(unsafe {
        std::mem::transmute::<*const (), unsafe extern "C" fn()>(ends_itself as *const ())
    });
    let forwarder = unsafe { OnDoor::from_raw(raw) }.adopt().expect("well-formed").to_foreign();
    let forwarder = forwarder.into_raw();
    *KEPT.lock().unwrap() = Some(Kept(forwarder, std::ptr::from_ref(seen) as usize));
    type Call = unsafe extern "C" fn(
        *mut core::ffi::c_void,
        bool,
        *mut i32,
        *mut ringback::abi::RbError,
    ) -> i32;
    let call: Call = unsafe { std::mem::transmute(forwarder.call.expect("set")) };
    let mut out = 0;
    assert_eq!(unsafe { call(forwarder.context, true, &raw mut out, std::ptr::null_mut()) }, 0);
    assert_eq!((out, seen.releases.load(SeqCst)), (4, 1));
}

#[test]
fn a_post_that_panics_releases_all_the_same_and_stays_inside() {
    let (raw, seen) = object(false);
    let door = Callback::adopt_and_post(unsafe { OnDoor::from_raw(raw) }, |_| panic!("on purpose"));
    let door = door.expect("well-formed");
    // Dropped by foreign code, where a panic could not unwind.
    let forwarder = door.to_foreign().into_raw();
    drop(door);
    assert_eq!(seen.releases.load(SeqCst), 0);
    unsafe { forwarder.release() };
    assert_eq!(seen.releases.load(SeqCst), 1);
}
