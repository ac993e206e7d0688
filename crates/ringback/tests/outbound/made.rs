// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rust closures that foreign code keeps, calls and releases.

use ringback::abi::{RbCallback, RbError, Status};
use ringback::{ForeignError, Mailbox, OverflowPolicy, Take};
use std::cell::RefCell;
use std::mem::{MaybeUninit, transmute};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

#[repr(C)]
pub(crate) struct Message {
    id: u16,
}

ringback::callback_type!(struct OnValue: fn(value: i64) -> i64);
ringback::callback_type!(struct OnEnd: fn());
// Results that neither can be cloned nor sent have no async listeners, and everything else.
ringback::callback_type!(struct OnMemory: fn(size: usize) -> *mut u8);
ringback::callback_type!(struct OnOwned: fn(id: u16) -> Message);
ringback::callback_type! {
    struct OnPair: for<'a> fn(&'a Message, other: &Message, scale: f64, wide: i128, done: extern "C" fn(u8) -> u8) -> f64
}

type CallValue = unsafe extern "C" fn(*mut core::ffi::c_void, i64, *mut i64, *mut RbError) -> i32;

/// What a C caller does with the struct.
fn call(raw: &RbCallback, value: i64) -> Result<i64, (Status, String)> {
    let call: CallValue = unsafe { transmute(raw.call.expect("made")) };
    let (mut out, mut error) = (MaybeUninit::uninit(), RbError::EMPTY);
    let status = unsafe { call(raw.context, value, out.as_mut_ptr(), &raw mut error) };
    if status == 0 {
        return Ok(unsafe { out.assume_init() });
    }
    let bytes = unsafe { std::slice::from_raw_parts(error.text.cast::<u8>(), error.length) };
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    unsafe { error.release.expect("owned")(error.owner) };
    Err((Status(status), text))
}

fn release(raw: &RbCallback) {
    unsafe { raw.release.expect("made")(raw.context) };
}

/// Counts its drops.
struct Witness(Arc<AtomicUsize>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn witness() -> (Witness, Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    (Witness(Arc::clone(&drops)), drops)
}

#[test]
fn a_closure_is_called_and_dropped_with_the_last_reference() {
    let (witness, drops) = witness();
    let raw = OnValue::new(move |value| {
        let _ = &witness;
        value + 1
    })
    .into_raw();
    assert_eq!(call(&raw, 41), Ok(42));
    unsafe { raw.retain.expect("made")(raw.context) };
    release(&raw);
    assert_eq!(drops.load(SeqCst), 0);
    release(&raw);
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn every_kind_of_argument_arrives() {
    extern "C" fn triple(x: u8) -> u8 {
        x * 3
    }
    let pair = OnPair::new(|a, b, scale, wide, done| {
        f64::from(a.id + b.id) * scale + wide as f64 + f64::from(done(2))
    });
    let pair = pair.adopt().expect("well-formed");
    assert_eq!(pair.call(&Message { id: 1 }, &Message { id: 2 }, 0.5, -1, triple), Ok(6.5));
    let memory = OnMemory::new(|_| ptr::null_mut()).adopt().expect("well-formed");
    assert!(memory.call(8).expect("answers").is_null());
    let owned = OnOwned::new(|id| Message { id }).adopt().expect("well-formed");
    assert_eq!(owned.call(8).expect("answers").id, 8);
    let end = OnEnd::new(|| ()).adopt().expect("well-formed");
    assert_eq!(end.call(), Ok(()));
}

#[test]
fn errors_and_panics_reach_the_caller_with_their_texts() {
    let raw = OnValue::fallible(|value| {
        if value < 0 {
            return Err(ForeignError::new("negative"));
        }
        assert!(value < 10, "too large: {value}");
        Ok(value)
    })
    .into_raw();
    assert_eq!(call(&raw, 3), Ok(3));
    assert_eq!(call(&raw, -3), Err((Status::ERROR, "negative".to_owned())));
    assert_eq!(call(&raw, 11), Err((Status::PANIC, "too large: 11".to_owned())));
    assert_eq!(call(&raw, 4), Ok(4), "usable after a panic");
    let function: CallValue = unsafe { transmute(raw.call.expect("made")) };
    let mut out = 7;
    let status = unsafe { function(raw.context, -1, &raw mut out, ptr::null_mut()) };
    assert_eq!((status, out), (Status::ERROR.0, 7), "without an error to fill");
    release(&raw);
}

#[test]
fn its_last_reference_may_be_released_inside_its_own_call() {
    thread_local!(static RAW: RefCell<Option<RbCallback>> = const { RefCell::new(None) });
    let (witness, drops) = witness();
    let seen = Arc::clone(&drops);
    let raw = OnValue::new(move |depth| {
        let raw = RAW.with_borrow(|raw| *raw).expect("set");
        if depth > 0 {
            let inner = call(&raw, depth - 1).expect("answers");
            assert_eq!(seen.load(SeqCst), 0, "alive below depth {depth}");
            return inner + 1;
        }
        release(&raw);
        assert_eq!(witness.0.load(SeqCst), 0, "alive after its release");
        0
    })
    .into_raw();
    RAW.set(Some(raw));
    assert_eq!(call(&raw, 3), Ok(3));
    assert_eq!(drops.load(SeqCst), 1, "dropped when the outermost call ended");
}

#[test]
fn another_closure_released_inside_a_call_goes_at_once() {
    let (witness, drops) = witness();
    let other = OnValue::new(move |value| {
        let _ = &witness;
        value
    });
    let other = Mutex::new(Some(other));
    let outer = OnEnd::new(move || {
        drop(other.lock().unwrap().take());
    });
    outer.adopt().expect("well-formed").call().expect("answers");
    assert_eq!(drops.load(SeqCst), 1);
}

#[test]
fn a_destructor_that_panics_is_contained() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let panics = Panics;
    let raw = OnValue::new(move |value| {
        let _ = &panics;
        value
    })
    .into_raw();
    release(&raw);
}

#[test]
fn released_on_another_thread_it_is_dropped_there() {
    struct On(Arc<Mutex<Option<thread::ThreadId>>>);
    impl Drop for On {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = Some(thread::current().id());
        }
    }
    let dropped_on = Arc::new(Mutex::new(None));
    let on = On(Arc::clone(&dropped_on));
    let value = OnValue::new(move |value| {
        let _ = &on;
        value
    });
    let other = thread::spawn(move || {
        drop(value);
        thread::current().id()
    });
    let other = other.join().expect("no panic");
    assert_eq!(*dropped_on.lock().unwrap(), Some(other));
}

#[test]
fn an_async_listener_gets_everything_in_order_and_counts_it() {
    let heard = RefCell::new(Vec::new());
    let (callback, deliver) = OnValue::new_async(
        Mailbox::bounded(4),
        |value| match value {
            0 => Take::Decline(Err(ForeignError::new("zero"))),
            value => Take::Accept(value, Ok(value * 2)),
        },
        async |value| heard.borrow_mut().push(value),
    );
    let raw = callback.into_raw();
    assert_eq!(call(&raw, 0), Err((Status::ERROR, "zero".to_owned())));
    for value in 1..=4 {
        assert_eq!(call(&raw, value), Ok(value * 2));
    }
    let full = call(&raw, 5).expect_err("full");
    assert_eq!(full, (Status::REJECTED, "the mailbox is full or closed".to_owned()));
    release(&raw);
    let counts = futures_executor::block_on(deliver);
    assert_eq!(heard.into_inner(), [1, 2, 3, 4]);
    assert_eq!((counts.completed, counts.declined, counts.rejected), (4, 1, 1));
    assert_eq!(counts.unaccounted(), 0);
}

#[test]
fn an_async_listener_may_choose_what_happens_when_it_is_full() {
    let (callback, deliver) = OnValue::new_async(
        Mailbox::bounded(1).overflow(OverflowPolicy::DisplaceOldest),
        |value| Take::Accept(value, Ok(0)),
        async |value| assert_eq!(value, 9),
    );
    let callback = callback.adopt().expect("well-formed");
    for value in 0..10 {
        assert_eq!(callback.call(value), Ok(0));
    }
    drop(callback);
    let counts = futures_executor::block_on(deliver);
    assert_eq!((counts.completed, counts.displaced), (1, 9));
}
