// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows that the check of the example `vehicle_bus` finds messages out of order.

#[path = "../../examples/vehicle_bus/order.rs"]
mod checked;

use checked::{Order, Stamp};
use std::thread;

fn stamp(thread: u32, number: u64) -> Stamp {
    Stamp { thread, number }
}

#[test]
fn swapped_and_repeated_messages_are_found() {
    let mut order = Order::default();
    assert_eq!(order.check(stamp(0, 1)), Ok(()));
    assert_eq!(order.check(stamp(0, 3)), Ok(()), "another listener may have got the second");
    assert_eq!(order.check(stamp(0, 2)), Err(3), "swapped with the one before");
    assert_eq!(order.check(stamp(0, 3)), Err(3), "the same one twice");
    assert_eq!(order.check(stamp(0, 4)), Ok(()));
}

#[test]
fn threads_may_overtake_each_other() {
    let mut order = Order::default();
    for stamp in [stamp(5, 9), stamp(0, 1), stamp(5, 10), stamp(2, 7), stamp(0, 2)] {
        assert_eq!(order.check(stamp), Ok(()));
    }
    assert_eq!(order.check(stamp(2, 6)), Err(7));
}

#[test]
fn every_thread_counts_for_itself() {
    let three = || [Stamp::next(), Stamp::next(), Stamp::next()];
    let [here, there] = [three(), thread::spawn(three).join().expect("no panic")];
    assert_ne!(here[0].thread, there[0].thread);
    for stamps in [here, there] {
        assert!(stamps.iter().all(|stamp| stamp.thread == stamps[0].thread));
        assert_eq!(stamps.map(|stamp| stamp.number), [1, 2, 3]);
        let mut order = Order::default();
        assert!(stamps.iter().all(|stamp| order.check(*stamp).is_ok()));
        let mut order = Order::default();
        let backwards: Vec<_> = stamps.iter().rev().map(|stamp| order.check(*stamp)).collect();
        assert_eq!(backwards, [Ok(()), Err(3), Err(3)]);
    }
}
