// SPDX-License-Identifier: MIT OR Apache-2.0

//! As many closures as there are places for user data; in a process of its own, which has no others.
#![cfg(not(ringback_loom))]
#![allow(missing_docs, reason = "a test")]

use ringback::UserData;
use std::ffi::{c_int, c_void};

type Function = extern "C" fn(data: *mut c_void, value: c_int) -> c_int;

#[test]
fn a_full_process_gives_the_closure_back_and_has_room_again() {
    let register = |i: c_int| UserData::<Function>::first(|| -1, move |value| value + i);
    let mut all: Vec<_> = (0..16_384).map(|i| register(i).expect("a place")).collect();
    let full = register(7).expect_err("no place is left");
    assert_eq!((full.listener)(35), 42, "the closure comes back");
    assert!(full.to_string().contains("16384"), "{full}");
    for (i, data) in all.iter().enumerate() {
        assert_eq!(data.as_fn()(data.data(), 1), i as c_int + 1);
    }
    let old = all.swap_remove(100);
    let (function, pointer) = (old.as_fn(), old.data());
    drop(old.unregister().expect("nobody is inside"));
    let new = register(1).expect("its place is free again");
    assert_eq!(new.as_fn()(new.data(), 1), 2);
    assert_eq!(function(pointer, 1), -1, "the old pointer does not reach the new closure");
}
