// SPDX-License-Identifier: MIT OR Apache-2.0

//! The protection is chosen once, before anything else.

use crate::own_process::{fork, is_this, wait_for};
use ringback::{InitError, Protection, attach_thread, callback_pool, init, protection};

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }

/// Chooses, and registers and calls under it.
fn choose(wanted: Protection, other: Protection) {
    assert_eq!(protection(), None);
    assert_eq!(init(wanted), Ok(wanted));
    assert_eq!(init(Protection::Auto), Ok(wanted));
    assert_eq!(init(other), Err(InitError::AlreadyFixed(wanted)));
    assert_eq!((attach_thread(), protection()), (wanted, Some(wanted)));
    let mine = POOL.register(|x| x + 1).unwrap();
    let function = mine.as_fn();
    assert_eq!((function(1), std::thread::spawn(move || function(2)).join().unwrap()), (2, 3));
    mine.unregister().unwrap();
    assert_eq!(function(1), -1);
}

#[test]
fn membarrier_can_be_chosen() {
    if is_this("protection::membarrier_can_be_chosen") {
        choose(Protection::Membarrier, Protection::Fence);
    }
}

#[test]
fn fences_can_be_chosen() {
    if is_this("protection::fences_can_be_chosen") {
        choose(Protection::Fence, Protection::Counter);
        wait_for(fork(|| {
            assert_eq!(protection(), Some(Protection::Fence));
            let mine = POOL.register(|x| x + 1).unwrap();
            assert_eq!(mine.as_fn()(1), 2);
            mine.unregister().unwrap();
        }));
    }
}
