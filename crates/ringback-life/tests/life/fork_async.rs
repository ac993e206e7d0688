// SPDX-License-Identifier: MIT OR Apache-2.0

//! Fork, with messages queued, and with some just being pushed.

use crate::own_process::{fork, is_this, wait_for};
use crate::run;
use ringback::{
    AsyncRegistration, Drained, Mailbox, NotDrained, OverflowPolicy, Take, callback_pool,
};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }

#[test]
fn what_a_mailbox_holds_is_delivered_on_both_sides() {
    if !is_this("fork_async::what_a_mailbox_holds_is_delivered_on_both_sides") {
        return;
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let (mine, deliver) = POOL
        .register_async(
            Mailbox::bounded(64).overflow(OverflowPolicy::Reject(-2)),
            |x| Take::Accept(x, 0),
            async move |x| log.lock().unwrap().push(x),
        )
        .unwrap();
    let function = mine.as_fn();
    let (ready, go) = mpsc::channel();
    let (end, stay) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        assert_eq!(function(1), 0);
        ready.send(()).unwrap();
        let _ = stay.recv();
    });
    go.recv().unwrap();
    assert_eq!(function(2), 0);

    let mut both = Some((mine, deliver));
    let end_with = |(mine, deliver): (AsyncRegistration<POOL, i32>, _), last| {
        assert_eq!(function(last), 0);
        let drain = mine.drain();
        run::<()>(deliver);
        let counts = run(drain).unwrap().counts;
        assert_eq!((counts.accepted, counts.completed, counts.unaccounted()), (3, 3, 0));
        assert_eq!(*seen.lock().unwrap(), [1, 2, last]);
        assert_eq!(function(9), -1);
    };
    let child = fork(std::panic::AssertUnwindSafe(|| end_with(both.take().unwrap(), 3)));
    wait_for(child);
    end_with(both.take().unwrap(), 4);
    drop(end);
    other.join().unwrap();
}

/// A message whose place a lost thread took, and never filled, holds up those behind it for ever: but the
/// drain says that it will not end.
#[test]
fn a_mailbox_into_which_lost_threads_were_pushing_is_drained_to_an_end() {
    if std::env::var_os("RINGBACK_RUNNER").is_some() {
        return println!("not under qemu-user, which fails to fork a process of many busy threads");
    }
    if !is_this("fork_async::a_mailbox_into_which_lost_threads_were_pushing_is_drained_to_an_end") {
        return;
    }
    let (mine, deliver) = POOL
        .register_async(
            Mailbox::bounded(64).overflow(OverflowPolicy::Reject(-2)),
            |x| Take::Accept(x, 0),
            async |_| {},
        )
        .unwrap();
    let (function, mut deliver) = (mine.as_fn(), Box::pin(deliver));
    let stop = AtomicBool::new(false);
    let mut context = Context::from_waker(Waker::noop());
    let mut mine = Some(mine);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    assert!([0, -2].contains(&function(1)));
                }
            });
        }
        for _ in 0..200 {
            for _ in 0..20 {
                assert!(deliver.as_mut().poll(&mut context).is_pending());
            }
            let child = fork(std::panic::AssertUnwindSafe(|| {
                match drain_while_delivering(mine.take().unwrap(), deliver.as_mut()) {
                    Ok(drained) => assert_eq!(drained.counts.unaccounted(), 0),
                    Err(why) => assert!(matches!(*why, NotDrained::Vanished(_)), "{why}"),
                }
            }));
            wait_for(child);
        }
        stop.store(true, SeqCst);
    });
    let drained = drain_while_delivering(mine.take().unwrap(), deliver.as_mut()).unwrap();
    assert_eq!(drained.counts.unaccounted(), 0);
}

fn drain_while_delivering(
    mine: AsyncRegistration<POOL, i32>,
    mut deliver: Pin<&mut impl Future<Output = ()>>,
) -> Result<Drained<POOL>, Box<NotDrained>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut delivered = false;
    let mut drain = pin!(mine.drain());
    loop {
        delivered = delivered || deliver.as_mut().poll(&mut context).is_ready();
        if let Poll::Ready(ended) = drain.as_mut().poll(&mut context) {
            return ended.map_err(Box::new);
        }
        thread::yield_now();
    }
}
