// SPDX-License-Identifier: MIT OR Apache-2.0

//! membarrier(2) refused after the program started: nothing is freed that is not proved unused.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]
#![cfg(target_os = "linux")]

mod common;
#[path = "common/seccomp.rs"]
mod seccomp;

use common::{Drops, watchdog};
use ringback::{Event, Observer, Pending, Protection, callback_pool, retire_all};
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 16>; fallback = -1; reuse = oldest_first; }
callback_pool! { static MANY: Pool<extern "C" fn(i32) -> i32, 2>; fallback = -1; }

callback_pool! {
    static COUNTED: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; protection = counter;
}

static REFUSED: AtomicUsize = AtomicUsize::new(0);
struct Counts;
impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        if let Event::BarrierRefused { pool } = event {
            assert!(pool.ends_with("POOL"));
            REFUSED.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn a_barrier_refused_later_keeps_the_listener_and_says_so() {
    let _alive = watchdog("a refused barrier");
    assert!(ringback::set_observer(&Counts).is_ok());
    let drops = Drops::default();
    let (first, second, third) = (drops.token(), drops.token(), drops.token());
    let a = POOL
        .register(move |x| {
            first.touch();
            x
        })
        .unwrap();
    let b = POOL
        .register(move |x| {
            second.touch();
            x
        })
        .unwrap();
    let c = POOL
        .register(move |x| {
            third.touch();
            x
        })
        .unwrap();
    assert_eq!(ringback::protection(), Some(Protection::Membarrier));
    let (f, index) = (a.as_fn(), a.slot());
    let counted: Vec<_> = (0..4).map(|_| COUNTED.register(|x| x).unwrap()).collect();

    // Another thread that has called: only then is there anything to prove.
    let (told, stay) = mpsc::channel::<()>();
    let (ready, go) = mpsc::channel();
    let other = thread::spawn(move || {
        assert_eq!(f(4), 4);
        ready.send(()).unwrap();
        let _ = stay.recv();
    });
    go.recv().unwrap();
    seccomp::refuse_membarrier();

    let Err(Pending::Unprovable(retired)) = a.unregister() else {
        panic!("proved without a barrier")
    };
    assert!(!retired.is_quiet());
    assert_eq!(f(4), -1, "closed all the same");
    assert_eq!((drops.count(), POOL.stats().unproved), (0, 1));
    assert_eq!(REFUSED.load(SeqCst), 1);
    let retired = retired.wait_timeout(Duration::from_millis(1)).unwrap_err();
    let retired = retired.try_wait().unwrap_err();
    let future = pin!(retired.into_future());
    let polled = future.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(pending)) = polled else { panic!("proved without a barrier") };
    assert!(pending.to_string().contains("Protection::Fence"));
    let retired = pending.into_retired();

    let many = pin!(retire_all((0..2).map(|_| MANY.register(|x| x).unwrap())).into_future());
    let polled = many.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(all)) = polled else { panic!("proved without a barrier") };
    assert_eq!((all.quiet.len(), all.pending.len()), (0, 2));
    assert!(all.to_string().starts_with("2 of 2 listeners are not quiet; the first: "), "{all}");
    drop(all); // detached, as the next

    // A pool that counts its calls needs none, though other threads call.
    let mut counted = counted.into_iter();
    let mut next = || counted.next().unwrap();
    next().unregister().unwrap();
    let mut replaced = next();
    replaced.replace(|x| x + 1).unwrap().wait().unwrap();
    for quiet in retire_all([replaced, next(), next()]).wait().unwrap() {
        quiet.confirm_forgotten();
    }
    assert_eq!(COUNTED.stats().unproved, 0);

    drop(b); // detached: kept for ever, with its slot
    assert_eq!((drops.count(), POOL.stats().unproved), (0, 2));
    let taken: Vec<_> = (0..13).map(|_| POOL.register(|x| x).unwrap()).collect();
    assert!(taken.iter().all(|r| r.slot() != index));
    assert!(POOL.register(|x| x).is_err(), "a slot that is not proved unused was given away");

    // The other thread ends, and with it the need for the barrier.
    drop(told);
    other.join().unwrap();
    retired.wait().unwrap();
    assert_eq!((drops.count(), POOL.stats().unproved), (1, 1));
    c.unregister().unwrap();
    assert_eq!(drops.count(), 2);
}
