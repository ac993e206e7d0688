// SPDX-License-Identifier: MIT OR Apache-2.0

//! Whose is this pointer? `describe`, and the policy that stops on a stale call.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]
#![cfg(target_os = "linux")]

#[path = "common/again.rs"]
mod again;

use again::again;
use ringback::{SlotState, UserData, Whose, callback_pool, describe};
use std::time::Duration;

callback_pool! { static FIRST: Pool<extern "C" fn(i32) -> i32, 8>; fallback = -1; }
callback_pool! { static SECOND: Pool<extern "C" fn(i64, Wide) -> i64, 8>; fallback = -1; count_calls = true; }
callback_pool! { static UNUSED: Pool<extern "C" fn(u8) -> u8, 8>; fallback = 0; }

/// Not known to travel in registers, so that the pool has a generated table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Wide([u64; 4]);
// SAFETY: plain integers.
unsafe impl ringback::AnyBits for Wide {}

fn ours(pointer: *const ()) -> ringback::Description {
    match describe(pointer) {
        Whose::Thunk(description) => description,
        other => panic!("not ours: {other}"),
    }
}

#[test]
fn a_dropped_guard_and_a_single_call_are_no_line_of_the_program() {
    let dropped = FIRST.register(|x| x).unwrap();
    let once = FIRST.register_once(|x| x).unwrap();
    let pointers = [dropped.as_fn(), once.as_fn()];
    drop(dropped);
    assert_eq!(once.as_fn()(3), 3);
    for pointer in pointers {
        let now = ours(pointer as *const ());
        assert_eq!(now.retired_by, None);
        assert!(now.retired_for.is_some());
        assert!(now.to_string().contains("its guard was dropped, or its one call came"), "{now}");
    }
}

#[test]
fn a_thunk_tells_its_pool_slot_state_holder_and_who_retired_it() {
    let mine = FIRST.register(|x| x).unwrap();
    let pointer = mine.as_fn() as *const ();
    let taken_at = line!() - 2;
    let now = ours(pointer);
    assert!(now.pool.ends_with("describe::FIRST"), "{}", now.pool);
    assert_eq!((now.slot, now.state, now.retired_by), (mine.slot(), SlotState::Live, None));
    assert_eq!(now.holder.unwrap().line(), taken_at);
    assert_eq!(Some(&now), FIRST.describe(mine.as_fn()).as_ref());

    let function = mine.as_fn();
    mine.unregister().unwrap();
    let retired_at = line!() - 1;
    function(1);
    let now = ours(pointer);
    assert_eq!((now.state, now.stale), (SlotState::Quarantined, 1));
    assert_eq!(now.retired_by.unwrap().line(), retired_at);
    assert!(now.retired_for.unwrap() < Duration::from_secs(60));
    let text = describe(pointer).to_string();
    for part in ["slot", "describe::FIRST", "Quarantined", "taken at", "retired", "1 stale call"] {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn every_pool_is_found_and_calls_are_told_where_they_are_counted() {
    let mine = SECOND.register(|x, wide| x + wide.0[3] as i64).unwrap();
    assert_eq!(mine.as_fn()(1, Wide([0, 0, 0, 4])), 5);
    let now = ours(mine.as_fn() as *const ());
    assert!(now.pool.ends_with("describe::SECOND"));
    assert_eq!(now.calls, Some(1));
}

#[test]
fn a_pointer_that_is_lent_without_a_registration_is_known_too() {
    let now = ours(UNUSED.thunk(7).unwrap() as *const ());
    assert_eq!((now.slot, now.state, now.holder), (7, SlotState::Free, None));
}

#[test]
fn foreign_pointers_are_named_or_said_to_be_unknown() {
    // One that no sanitizer puts its own in the place of.
    let Whose::Other { object, symbol } = describe(libc::nice as *const ()) else {
        panic!("nice is in no library?")
    };
    assert!(object.contains("libc"), "{object}");
    assert_eq!(symbol, Some(("nice".into(), 0)));
    let Whose::Other { object, .. } =
        describe(foreign_pointers_are_named_or_said_to_be_unknown as *const ())
    else {
        panic!("this test is in no program?")
    };
    assert!(object.contains("describe"), "{object}");
    // Inside a thunk, but not where it starts: not a pointer that was lent.
    let mine = FIRST.register(|x| x).unwrap();
    let inside = (mine.as_fn() as *const ()).wrapping_byte_add(1);
    assert!(!matches!(describe(inside), Whose::Thunk(_)));
    let on_the_heap = Box::new(1_u8);
    assert_eq!(describe(std::ptr::from_ref(&*on_the_heap).cast()), Whose::Unknown);
    // Its pool has no functions of its own, and so no addresses.
    let user_data =
        UserData::<unsafe extern "C" fn(*mut std::ffi::c_void)>::last(|| (), || ()).unwrap();
    assert_eq!(describe(std::ptr::null()), Whose::Unknown);
    drop(user_data);
}

#[inline(never)]
extern "C" fn the_culprit(function: extern "C" fn(i32) -> i32) -> i32 {
    std::hint::black_box(function(1)) + 1
}

#[test]
fn a_stale_call_stops_the_process_where_that_is_wanted() {
    use std::os::unix::process::ExitStatusExt;
    const MARK: &str = "RINGBACK_TEST_STALE";
    let test = "a_stale_call_stops_the_process_where_that_is_wanted";
    if std::env::var_os(MARK).is_some() {
        let mine = FIRST.register(|x| x).unwrap();
        let function = mine.as_fn();
        mine.unregister().unwrap();
        assert_eq!(the_culprit(function), 0, "not wanted yet");
        ringback::stop_on_stale_calls(true);
        the_culprit(function);
        unreachable!("it went on");
    }
    let output = again(test, MARK).output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    for part in ["stale call", "describe::FIRST", "Quarantined", "retired", "the_culprit"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}
