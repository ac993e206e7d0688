// SPDX-License-Identifier: MIT OR Apache-2.0

//! ringback with `protection = counter`: nothing kept per thread.

use super::{Contestant, Entry, Plain, listener};

ringback::callback_pool! {
    static POOL: Pool<extern "C" fn(u64) -> u64, 5000>;
    fallback = u64::MAX;
    protection = counter;
}

pub fn contestant(factor: u64) -> Contestant {
    let registration = POOL.register(listener(factor)).expect("the pool has free slots");
    let function: Plain = registration.as_fn();
    Contestant::new("ringback, counter", Entry::Plain(function), registration)
}
