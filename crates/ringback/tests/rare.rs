// SPDX-License-Identifier: MIT OR Apache-2.0

//! What seldom happens: corners of the core that the other tests pass by.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

mod common;

use common::{Drops, watchdog};
use ringback::{FutureSlot, Pending, Reuse, SlotState, callback_pool, describe, retire_all};
use std::cell::{Cell, RefCell};
use std::future::{Future, IntoFuture, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

callback_pool! {
    static COUNTED: Pool<extern "C" fn(i32) -> i32, 8>;
    fallback = -1;
    protection = counter;
    reuse = oldest_first;
}

#[test]
fn a_thread_bound_listener_ends_inside_of_more_counted_calls_than_are_known_by_name() {
    thread_local!(static INSIDE: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) });
    let _alive = watchdog("a thread-bound listener deep inside");
    let drops = Drops::default();
    let deep = COUNTED
        .register_with(|me| {
            move |depth| {
                if depth > 0 {
                    return COUNTED.thunk(me.slot()).unwrap()(depth - 1) + 1;
                }
                INSIDE.take().expect("set below")();
                0
            }
        })
        .unwrap();
    let token = Cell::new(Some(drops.token()));
    INSIDE.set(Some(Box::new(move || {
        let token = token.take();
        let local = COUNTED.register_local(move |x| x + i32::from(token.is_some())).unwrap();
        assert_eq!(local.as_fn()(1), 2);
        local.unregister().expect("this thread is not inside of that one");
    })));
    assert_eq!(deep.as_fn()(40), 40);
    assert_eq!(drops.count(), 1);
}

thread_local!(static ONCE: Cell<Option<Box<dyn FnOnce() -> i32>>> = const { Cell::new(None) });

/// Calls `function`, whose listener does what is given here, once.
fn inside(function: extern "C" fn(i32) -> i32, what: impl FnOnce() -> i32 + 'static) -> i32 {
    ONCE.set(Some(Box::new(what)));
    function(0)
}

fn does_it(_: i32) -> i32 {
    ONCE.take().map_or(0, |what| what())
}

#[test]
fn a_panic_may_carry_anything() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; on_panic = -2; }
    let mine = POOL.register(does_it).unwrap();
    // Unwinding without a hook's message.
    assert_eq!(inside(mine.as_fn(), || resume_unwind(Box::new("a literal"))), -2);
    assert_eq!(inside(mine.as_fn(), || resume_unwind(Box::new(String::from("a string")))), -2);
    assert_eq!(inside(mine.as_fn(), || resume_unwind(Box::new(42))), -2);
    assert_eq!((inside(mine.as_fn(), || 7), POOL.stats().panicked), (7, 3));
}

#[test]
fn a_busy_listener_is_not_waited_for_by_its_own_thread() {
    callback_pool! {
        static POOL: Pool<extern "C" fn(i32) -> i32, 1>;
        fallback = -1;
        on_busy = wait(Duration::from_secs(3600), -3);
    }
    let _alive = watchdog("waiting for oneself");
    let mine = POOL.register_mut(does_it).unwrap();
    let function = mine.as_fn();
    assert_eq!(inside(function, move || function(1)), -3);
    assert_eq!(POOL.stats().busy, 1);
}

#[test]
fn the_register_for_the_index_follows_from_the_signature() {
    use ringback::__private::free_register;
    use ringback::signature::Passing::{Float, Integer, IntegerPair, Nothing};
    let [integer, float, pair] = [Integer, Float, IntegerPair].map(Some);
    let (most, even) = if cfg!(target_arch = "aarch64") { (7, true) } else { (5, false) };
    assert_eq!(free_register(&[], Some(Nothing)), Some(0));
    assert_eq!(free_register(&[integer, float, float, integer], float), Some(2));
    assert_eq!(free_register(&[integer, pair], integer), Some(if even { 4 } else { 3 }));
    assert_eq!(free_register(&vec![integer; most], integer), Some(most as u8));
    assert_eq!(free_register(&vec![integer; most + 1], integer), None, "none is free");
    assert_eq!(free_register(&[integer, None], integer), None, "an argument is not known");
    assert_eq!(free_register(&[integer], None), None, "the result is not known");
}

#[test]
fn a_full_pool_says_what_helps_and_who_holds_it() {
    callback_pool! { static NEVER: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; reuse = never; }
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }
    let first = NEVER.register(does_it).unwrap();
    let text = NEVER.register(does_it).unwrap_err().to_string();
    assert!(text.ends_with("unregister listeners, or declare more slots"), "{text}");
    drop(first);
    let text = NEVER.register(does_it).unwrap_err().to_string();
    assert!(text.contains("1 spent") && text.ends_with("since `never` uses each once"), "{text}");

    let a = POOL.register(does_it).unwrap();
    let b = POOL.register(does_it).unwrap();
    let c = POOL.register(does_it).unwrap();
    let d = POOL.reserve().unwrap();
    let full = POOL.register(does_it).unwrap_err();
    assert_eq!((full.census.live, full.census.reserved, full.census.holders.len()), (3, 1, 4));
    let text = full.to_string();
    assert!(text.contains(" and 1 more places"), "{text}");
    assert!(text.ends_with("unregister listeners, or declare more slots"), "{text}");
    drop((a, b, c, d));
    let text = POOL.register(does_it).unwrap_err().to_string();
    assert!(text.contains("4 quarantined") && text.contains("confirm with"), "{text}");
}

#[test]
fn a_slot_that_nobody_took_describes_itself() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 2>; fallback = -1; }
    let pointer = POOL.thunk(1).unwrap();
    let text = describe(pointer as *const ()).to_string();
    assert!(text.contains("slot 1 of pool") && text.ends_with("Free, 0 stale calls"), "{text}");
    assert_eq!(POOL.stats().census.reuse, Reuse::AfterConfirmation);
    let mine = POOL.register(does_it).unwrap();
    let pointer = mine.as_fn();
    drop(mine.retire());
    let mut description = POOL.describe(pointer).unwrap();
    assert!(description.retired_for.is_some());
    description.retired_for = None; // as where there is no clock
    assert!(description.to_string().contains(", retired at "), "{description}");
}

#[test]
fn waiting_from_inside_is_refused_in_every_form() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }
    let mine = POOL.register(does_it).unwrap();
    let other = POOL.register(does_it).unwrap();
    let function = mine.as_fn();
    let answer = inside(function, move || {
        let both = retire_all([mine, other]).wait().unwrap_err();
        assert_eq!((both.quiet.len(), both.pending.len()), (1, 1));
        assert!(both.to_string().starts_with("1 of 2 listeners are not quiet; the first: "));
        let pending = both.pending.into_iter().next().unwrap();
        assert!(matches!(pending, Pending::StillInside(_)));
        assert!(pending.into_retired().try_wait().is_err());
        5
    });
    assert_eq!((answer, function(0)), (5, -1));
}

#[test]
fn many_are_waited_for_with_a_limit() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }
    let _alive = watchdog("many with a limit");
    let idle = POOL.register(does_it).unwrap();
    assert_eq!(retire_all([idle]).wait_timeout(Duration::from_secs(60)).unwrap().len(), 1);
    let (entered, is_inside) = channel();
    let (leave, may_leave) = channel::<()>();
    let may_leave = std::sync::Mutex::new(may_leave);
    let busy = POOL
        .register(move |x| {
            entered.send(()).unwrap();
            let _ = may_leave.lock().unwrap().recv();
            x
        })
        .unwrap();
    let function = busy.as_fn();
    let caller = thread::spawn(move || function(3));
    is_inside.recv().unwrap();
    let retired = retire_all([busy]).try_wait().unwrap_err();
    let retired = retired.wait_timeout(Duration::from_millis(5)).unwrap_err();
    // Longer than a wait goes without looking whether the thread inside still exists.
    let retired = retired.wait_timeout(Duration::from_millis(1200)).unwrap_err();
    drop(leave);
    assert_eq!(caller.join().unwrap(), 3);
    assert_eq!(retired.try_wait().unwrap().len(), 1, "the last call has left");
}

#[test]
fn any_kind_of_listener_may_take_anothers_place_or_a_reserved_slot() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; on_busy = -3; }
    let mut mine = POOL.reserve().unwrap().bind(|x| x);
    let function = mine.as_fn();
    let mut sum = 0;
    let old = mine.replace_mut(move |x| {
        sum += x;
        if x == 0 { function(1) } else { sum }
    });
    old.unwrap().wait().unwrap();
    assert_eq!([40, 2, 0].map(|x| function(x)), [40, 42, -3], "one call at a time is inside");
    mine.replace(|x| -x).unwrap().detach();
    assert_eq!(function(5), -5);
    mine.unregister().unwrap().confirm_forgotten();

    let witness = std::sync::Arc::new(());
    let reserved = POOL.reserve().unwrap();
    let (function, inside) = (reserved.as_fn(), witness.clone());
    let mut once = reserved.bind_once(move |x| {
        drop(inside);
        x + 1
    });
    assert_eq!([function(1), function(1)], [2, -1]);
    let mut calls = 0;
    let back = once.replace_mut(move |x| {
        calls += 1;
        x + calls
    });
    let mut listener = back.unwrap_err().listener;
    assert_eq!([listener(1), listener(1)], [2, 3], "it comes back");
    once.unregister().unwrap().confirm_forgotten();
    assert_eq!(std::sync::Arc::strong_count(&witness), 1);
    let inside = witness.clone();
    drop(
        POOL.reserve()
            .unwrap()
            .bind_once(move |x| x + i32::from(std::sync::Arc::strong_count(&inside) > 9)),
    );
    assert_eq!(std::sync::Arc::strong_count(&witness), 1, "dropped uncalled");
}

#[test]
fn confirming_for_a_replaced_listener_says_nothing_of_its_slot() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; }
    let mut mine = POOL.register(does_it).unwrap();
    let pointer = mine.as_fn();
    mine.replace(|x| x).unwrap().wait().unwrap().confirm_forgotten();
    drop(mine);
    assert_eq!(POOL.describe(pointer).unwrap().state, SlotState::Quarantined);
    assert_eq!(POOL.confirm_forgotten(pointer), Ok(()));
    assert_eq!(POOL.confirm_forgotten(pointer).unwrap_err().state, Some(SlotState::Free));
}

#[test]
fn a_slot_that_waits_for_no_confirmation_says_what_helps() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; }
    callback_pool! { static NEVER: Pool<extern "C" fn(i32) -> i32, 1>; fallback = -1; reuse = never; }
    let pointer = POOL.thunk(0).unwrap();
    let told = |remedy: &str| {
        let error = POOL.confirm_forgotten(pointer).unwrap_err();
        assert_eq!(error.state, POOL.describe(pointer).map(|slot| slot.state));
        assert!(error.to_string().contains(remedy), "{error}");
    };
    told("is free already");
    let reserved = POOL.reserve().unwrap();
    told("bind a listener");
    let mine = reserved.bind(does_it);
    told("retire it first");
    let retired = mine.retire();
    told("wait for quiet");
    retired.wait().unwrap().confirm_forgotten();
    let mut handle = None;
    let mine = POOL.register_with(|me| {
        handle = Some(me);
        does_it
    });
    mine.unwrap().unregister().unwrap().confirm_forgotten();
    told("is confirmed already");
    drop(handle);
    told("is free already");

    let spent = NEVER.register(does_it).unwrap();
    let function = spent.as_fn();
    drop(spent);
    let error = NEVER.confirm_forgotten(function).unwrap_err();
    assert!(error.to_string().contains("never used again"), "{error}");
    let error = NEVER.confirm_forgotten(pointer).unwrap_err();
    assert_eq!(error.state, None);
    assert!(error.to_string().contains("ringback::describe"), "{error}");
}

#[test]
fn a_future_without_bytes_has_a_place_too() {
    let mut slot = FutureSlot::new();
    /// Needs no bytes, but not just any place.
    #[repr(align(64))]
    struct Aligned;
    impl Future for Aligned {
        type Output = usize;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
            Poll::Ready(std::ptr::from_ref(&*self).addr() % 64)
        }
    }
    assert_eq!(futures_executor::block_on(slot.put(Aligned)), 0);
    assert_eq!(futures_executor::block_on(slot.put(async { 7 })), 7);
    assert_eq!(format!("{slot:?}"), format!("FutureSlot {{ bytes: {} }}", 1));
    assert_eq!(futures_executor::block_on(slot.put(ready(8_u64))), 8);
}

#[test]
fn what_is_tracked_is_waited_for_with_a_limit() {
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 2>; fallback = -1; }
    let _alive = watchdog("tracked with a limit");
    let tracked = POOL.register(does_it).unwrap().track();
    let token = tracked.token();
    let retired = tracked.retire().wait_timeout(Duration::from_millis(5)).unwrap_err();
    // SAFETY: this copy's reference, released once.
    unsafe { token.release.expect("set")(token.context) };
    assert!(retired.wait_timeout(Duration::from_secs(60)).is_ok());
}

#[test]
fn a_waker_that_panics_does_not_reach_who_releases_the_last_copy() {
    /// A task whose waking panics.
    struct Grumpy(AtomicUsize);
    impl Wake for Grumpy {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
            resume_unwind(Box::new("provoked"));
        }
    }
    callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 2>; fallback = -1; }
    let tracked = POOL.register(does_it).unwrap().track();
    let token = tracked.token();
    let mut forgotten = tracked.retire().into_future();
    let grumpy = Arc::new(Grumpy(AtomicUsize::new(0)));
    let waker = Waker::from(grumpy.clone());
    let mut poll = || Pin::new(&mut forgotten).poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    // SAFETY: this copy's reference, released once.
    unsafe { token.release.expect("set")(token.context) };
    assert_eq!(grumpy.0.load(SeqCst), 1);
    assert!(poll().is_ready());
}

#[test]
fn an_iterator_that_panics_leaves_no_listener_without_a_guard() {
    common::quiet_panics();
    let drops = Drops::default();
    let token = drops.token();
    let first = COUNTED
        .register(move |x| {
            token.touch();
            x
        })
        .unwrap();
    let f = first.as_fn();
    let mut first = Some(first);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let all = std::iter::from_fn(|| Some(first.take().expect("provoked in an iterator")));
        drop(retire_all(all));
    }));
    assert!(result.is_err());
    assert_eq!((f(1), drops.count()), (-1, 1));
}
