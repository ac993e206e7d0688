// SPDX-License-Identifier: MIT OR Apache-2.0

//! A hook registers on a pool's async listener as it is.

use super::support::BoxFuture;
use ringback::{Mailbox, OverflowPolicy, Take, hook};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

ringback::callback_pool! {
    static ON_VALUE: Pool<extern "C" fn(value: u64) -> i32, 8>;
    fallback = -1;
}

static SUM: AtomicU64 = AtomicU64::new(0);

#[hook]
async fn add(value: u64) {
    super::support::pause().await;
    SUM.fetch_add(value, Relaxed);
}

#[hook]
async fn add_twice(value: u64) {
    add(value).await;
    add(value).await;
}

#[test]
fn hooks_of_a_table_are_registered_on_a_pool() {
    let _alive = super::support::watchdog("hooks on a pool");
    let table: [fn(u64) -> BoxFuture<'static, ()>; 2] = [add, add_twice];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    runtime.expect("a runtime").block_on(async {
        let mut registrations = Vec::new();
        for handler in table {
            let mailbox = Mailbox::bounded(16).overflow(OverflowPolicy::Reject(-2));
            let take = |value| Take::Accept(value, 0);
            let (registration, deliver) =
                ON_VALUE.register_async(mailbox, take, handler).expect("the pool has room");
            tokio::spawn(deliver);
            registrations.push(registration);
        }
        // By its name, without a table: a function item is a listener too.
        let mailbox = Mailbox::bounded(16).overflow(OverflowPolicy::Reject(-2));
        let (registration, deliver) = ON_VALUE
            .register_async(mailbox, |value| Take::Accept(value, 0), add)
            .expect("the pool has room");
        tokio::spawn(deliver);
        registrations.push(registration);
        for registration in &registrations {
            let function = registration.as_fn();
            assert_eq!([function(1), function(10)], [0, 0]);
        }
        for registration in registrations {
            assert_eq!(registration.drain().await.expect("it drains").counts.completed, 2);
        }
    });
    assert_eq!(SUM.load(Relaxed), 11 + 22 + 11);
}
