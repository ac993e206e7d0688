// SPDX-License-Identifier: MIT OR Apache-2.0

//! What becomes of a slot after its listener, and what a pool can tell of a pointer.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

use ringback::{SlotState, callback_pool};
use std::sync::{Arc, Mutex};

const STALE: i32 = -1;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 64>; fallback = STALE; reuse = oldest_first; }
callback_pool! { static OTHER: Pool<extern "C" fn(i32) -> i32, 64>; fallback = STALE; reuse = oldest_first; }
callback_pool! { static CONFIRMED: Pool<extern "C" fn(i32) -> i32, 2>; fallback = STALE; }
callback_pool! { static NEVER: Pool<extern "C" fn(i32) -> i32, 2>; fallback = STALE; reuse = never; }
callback_pool! { static OLDEST: Pool<extern "C" fn(i32) -> i32, 4>; fallback = STALE; reuse = oldest_first; }

#[test]
fn slots_are_reused_only_after_confirmation() {
    let f = {
        let a = CONFIRMED.register(|x| x).unwrap();
        let f = a.as_fn();
        drop(a.unregister().unwrap());
        f
    };
    assert_eq!(CONFIRMED.describe(f).unwrap().state, SlotState::Quarantined);
    let b = CONFIRMED.register(|x| x).unwrap();
    let full = CONFIRMED.register(|x| x * 100).unwrap_err();
    assert_eq!((full.census.live, full.census.quarantined, full.census.free), (1, 1, 0));
    assert_eq!((full.listener)(2), 200, "the listener comes back");
    let text = full.to_string();
    assert!(
        text.contains("1 live") && text.contains("1 quarantined") && text.contains("reuse.rs"),
        "{text}"
    );
    CONFIRMED.confirm_forgotten(f).unwrap();
    assert_eq!(CONFIRMED.confirm_forgotten(f).unwrap_err().state, Some(SlotState::Free));
    let again = CONFIRMED.register(|x| x + 1).unwrap();
    assert_eq!(again.as_fn() as usize, f as usize);
    again.unregister().unwrap().confirm_forgotten();
    b.unregister().unwrap().confirm_forgotten();
    drop((CONFIRMED.register(|x| x).unwrap(), CONFIRMED.register(|x| x).unwrap()));
}

#[test]
fn never_means_never() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let r = NEVER.register(|x| x).unwrap();
        seen.push(r.as_fn() as usize);
        r.unregister().unwrap().confirm_forgotten();
    }
    assert_ne!(seen[0], seen[1]);
    let full = NEVER.register(|x| x).unwrap_err();
    assert_eq!((full.census.spent, full.census.free), (2, 0));
    assert!(full.to_string().contains("declare more slots"));
}

#[test]
fn the_oldest_free_slot_is_used_first() {
    let order = |n: usize| -> Vec<usize> {
        (0..n)
            .map(|_| {
                let r = OLDEST.register(|x| x).unwrap();
                r.slot()
            })
            .collect()
    };
    assert_eq!(order(6), [0, 1, 2, 3, 0, 1]);
}

#[test]
fn a_held_handle_or_guard_keeps_the_slot() {
    let keep = Arc::new(Mutex::new(None));
    let k = keep.clone();
    let r = POOL
        .register_with(|me| {
            *k.lock().unwrap() = Some(me.clone());
            move |x| {
                let _ = &me;
                x
            }
        })
        .unwrap();
    let f = r.as_fn();
    drop(r.unregister().unwrap());
    assert_eq!(POOL.describe(f).unwrap().state, SlotState::Retired);
    assert!(!keep.lock().unwrap().take().unwrap().retire());
    assert_eq!(POOL.describe(f).unwrap().state, SlotState::Free);
}

#[test]
fn describe_says_whose_a_pointer_was_and_who_retired_it() {
    let r = OTHER.register(|x| x).unwrap();
    let f = r.as_fn();
    let live = OTHER.describe(f).unwrap();
    assert_eq!((live.state, live.retired_by, live.slot), (SlotState::Live, None, r.slot()));
    assert!(live.holder.unwrap().file().ends_with("reuse.rs"));
    assert!(OTHER.registrations().iter().any(|d| d.slot == r.slot()));
    let line = line!() + 1;
    let retired = r.retire();
    f(0);
    let gone = OTHER.describe(f).unwrap();
    assert_eq!(gone.retired_by.unwrap().line(), line);
    assert!(gone.retired_for.is_some() && gone.stale >= 1);
    assert!(gone.to_string().contains("stale call"));
    drop(retired);
    extern "C" fn stranger(x: i32) -> i32 {
        x
    }
    assert!(OTHER.describe(stranger).is_none());
}
