// SPDX-License-Identifier: MIT OR Apache-2.0

//! Closures behind a C interface's own `(function, void *)`.

use core::ffi::{c_char, c_int, c_void};
use ringback::{Nth, Pending, UserData};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

type First = unsafe extern "C" fn(data: *mut c_void, value: c_int) -> c_int;
type Middle = Option<unsafe extern "C" fn(c_int, *mut c_void, f64) -> c_int>;
type Last = extern "C" fn(*const c_char, usize, usize, *mut c_void) -> usize;

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
fn the_user_data_may_stand_in_any_place() {
    let first = UserData::<First>::first(|| -1, |value| value + 1).expect("a place");
    assert_eq!(unsafe { first.as_fn()(first.data(), 41) }, 42);
    let middle = UserData::<Middle>::nth(Nth::<1>, || -1, |a, b| a * b as c_int).expect("a place");
    assert_eq!(unsafe { middle.as_fn().expect("set")(6, middle.data(), 7.0) }, 42);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let last = UserData::<Last>::last(
        || 0,
        move |bytes, size, count| {
            let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), size * count) };
            keep.lock().unwrap().extend_from_slice(bytes);
            bytes.len()
        },
    )
    .expect("a place");
    assert_eq!(last.as_fn()(c"hello".as_ptr(), 1, 5, last.data()), 5);
    assert_eq!(*seen.lock().unwrap(), b"hello");
}

#[test]
fn it_may_be_found_by_asking() {
    #[repr(C)]
    struct Context {
        data: *mut c_void,
        result: c_int,
    }
    type Function = unsafe extern "C" fn(context: *mut Context, value: c_int);
    unsafe fn data_of(context: *mut Context) -> *mut c_void {
        unsafe { (*context).data }
    }
    let function = UserData::<Function>::found_by(
        |context, _| unsafe { data_of(context) },
        || (),
        |context, value| unsafe { (*context).result = value * 2 },
    )
    .expect("a place");
    let mut context = Context { data: function.data(), result: 0 };
    unsafe { function.as_fn()(&raw mut context, 21) };
    assert_eq!(context.result, 42);
}

#[test]
fn after_unregistering_a_call_is_answered_with_the_fallback_for_ever() {
    let (witness, drops) = witness();
    let data = UserData::<First>::first(
        || -1,
        move |value| {
            let _ = &witness;
            value
        },
    )
    .expect("a place");
    let (function, pointer) = (data.as_fn(), data.data());
    assert_eq!(unsafe { function(pointer, 3) }, 3);
    drop(data.unregister().expect("nobody is inside"));
    assert_eq!(drops.load(SeqCst), 1);
    assert_eq!(unsafe { function(pointer, 3) }, -1);
    // Others come and go in every slot, and never get the old one's calls.
    let others: Vec<_> = (0..20_000)
        .map(|_| {
            drop(UserData::<First>::first(|| -2, |_| panic!("another's call")).expect("a place"));
            unsafe { function(pointer, 3) }
        })
        .collect();
    assert!(others.iter().all(|answer| *answer == -1));
}

#[test]
fn the_foreign_side_may_own_it_and_end_it_once() {
    let (witness, drops) = witness();
    let data = UserData::<First>::first(
        || -1,
        move |value| {
            let _ = &witness;
            value
        },
    )
    .expect("a place");
    let (function, pointer, destroy) = data.into_c();
    assert_eq!(unsafe { function(pointer, 3) }, 3);
    assert_eq!(drops.load(SeqCst), 0);
    unsafe { destroy(pointer) };
    assert_eq!(drops.load(SeqCst), 1);
    unsafe { destroy(pointer) };
    unsafe { destroy(std::ptr::null_mut()) };
    assert_eq!(unsafe { function(pointer, 3) }, -1);
}

#[test]
fn it_may_be_ended_inside_its_own_call() {
    type Ends = unsafe extern "C" fn(*mut c_void);
    static PARTS: Mutex<Option<(usize, Ends)>> = Mutex::new(None);
    let (witness, drops) = witness();
    let seen = Arc::clone(&drops);
    let data = UserData::<First>::first(
        || -1,
        move |value| {
            let (pointer, destroy) = PARTS.lock().unwrap().take().expect("set");
            unsafe { destroy(pointer as *mut c_void) };
            assert_eq!(witness.0.load(SeqCst), 0, "alive until the call leaves");
            value
        },
    )
    .expect("a place");
    let (function, pointer, destroy) = data.into_c();
    *PARTS.lock().unwrap() = Some((pointer as usize, destroy));
    assert_eq!(unsafe { function(pointer, 3) }, 3);
    assert_eq!(seen.load(SeqCst), 1);
}

#[test]
fn a_guarded_one_is_not_ended_by_foreign_code() {
    let owned = UserData::<First>::first(|| -1, |value| value).expect("a place");
    let (_, pointer, destroy) = owned.into_c();
    let guarded = UserData::<First>::first(|| -1, |value| value + 1).expect("a place");
    unsafe { destroy(guarded.data()) };
    assert_eq!(unsafe { guarded.as_fn()(guarded.data(), 1) }, 2);
    unsafe { destroy(pointer) };
}

#[test]
fn mixed_up_pointers_reach_nobody() {
    let one = UserData::<First>::first(|| -1, |value| value).expect("a place");
    let witness = AtomicI32::new(7);
    let two = UserData::<First>::first(|| -2, move |_| witness.load(SeqCst)).expect("a place");
    assert_eq!(unsafe { one.as_fn()(two.data(), 1) }, -1);
    assert_eq!(unsafe { two.as_fn()(one.data(), 1) }, -2);
    for garbage in [0, 1, 77, usize::MAX, usize::MAX / 2] {
        let garbage = std::ptr::without_provenance_mut(garbage);
        assert_eq!(unsafe { one.as_fn()(garbage, 1) }, -1);
    }
}

/// What the observer hears of calls that reach nobody, beside those of other tests.
static STALE: AtomicUsize = AtomicUsize::new(0);
struct Counts;
impl ringback::Observer for Counts {
    fn observe(&self, event: &ringback::Event<'_>) {
        if let ringback::Event::StaleCall { .. } = event {
            STALE.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn every_call_that_reaches_nobody_is_counted() {
    let _ = ringback::set_observer(&Counts);
    let one = UserData::<First>::first(|| -1, |value| value).expect("a place");
    let number = AtomicI32::new(7);
    let two = UserData::<First>::first(|| -2, move |_| number.load(SeqCst)).expect("a place");
    let (_, pointer, destroy) =
        UserData::<First>::first(|| -1, |value| value).expect("a place").into_c();
    let heard = || STALE.load(SeqCst);
    let before = heard();
    assert_eq!(unsafe { one.as_fn()(two.data(), 1) }, -1);
    assert!(heard() > before, "of another type");
    let before = heard();
    unsafe { destroy(one.data()) };
    assert!(heard() > before, "the end of a guarded one");
    unsafe { destroy(pointer) };
    let before = heard();
    unsafe { destroy(pointer) };
    assert!(heard() > before, "ended twice");
}

#[test]
fn a_panic_is_answered_with_the_fallback() {
    let data = UserData::<First>::first(|| -1, |_| panic!("on purpose")).expect("a place");
    assert_eq!(unsafe { data.as_fn()(data.data(), 1) }, -1);
}

#[test]
fn inside_the_call_unregistering_says_so() {
    let kept = Arc::new(Mutex::new(None::<UserData<First>>));
    let inside = Arc::clone(&kept);
    let data = UserData::<First>::first(
        || -1,
        move |_| match inside.lock().unwrap().take().expect("kept").unregister() {
            Err(Pending::StillInside(_)) => 1,
            _ => 0,
        },
    )
    .expect("a place");
    let (function, pointer) = (data.as_fn(), data.data());
    *kept.lock().unwrap() = Some(data);
    assert_eq!(unsafe { function(pointer, 0) }, 1);
}

#[test]
fn threads_call_while_it_is_unregistered() {
    let _watchdog = crate::common::watchdog("calls against unregister");
    for _ in 0..50 {
        let alive = Arc::new(AtomicI32::new(1));
        let listener = Witnessed(Arc::clone(&alive));
        let data =
            UserData::<First>::first(|| -1, move |_| listener.0.load(SeqCst)).expect("a place");
        let (function, pointer) = (data.as_fn(), data.data() as usize);
        let start = Arc::new(Barrier::new(4));
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let start = Arc::clone(&start);
                thread::spawn(move || {
                    start.wait();
                    loop {
                        match unsafe { function(pointer as *mut c_void, 0) } {
                            -1 => break,
                            answer => assert_eq!(answer, 1, "called after it was dropped"),
                        }
                    }
                })
            })
            .collect();
        start.wait();
        drop(data.unregister().expect("the callers do not wait for us"));
        assert_eq!(alive.load(SeqCst), 0);
        for caller in callers {
            caller.join().expect("no panic");
        }
    }
}

struct Witnessed(Arc<AtomicI32>);

impl Drop for Witnessed {
    fn drop(&mut self) {
        self.0.store(0, SeqCst);
    }
}

#[test]
fn destroying_it_twice_on_two_threads_under_calls_ends_it_once() {
    let _watchdog = crate::common::watchdog("calls against destroy");
    for _ in 0..100 {
        let (witness, drops) = witness();
        let data = UserData::<First>::first(
            || -1,
            move |value| {
                assert_eq!(witness.0.load(SeqCst), 0, "alive during a call");
                value
            },
        );
        let (function, pointer, destroy) = data.expect("a place").into_c();
        let (pointer, start) = (pointer as usize, Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    while unsafe { function(pointer as *mut c_void, 5) } == 5 {}
                });
                scope.spawn(|| {
                    start.wait();
                    unsafe { destroy(pointer as *mut c_void) };
                });
            }
        });
        assert_eq!(drops.load(SeqCst), 1);
    }
}

#[test]
fn the_user_data_may_point_at_what_is_constant() {
    type Constant = unsafe extern "C" fn(*const c_void, c_int) -> c_int;
    let data = UserData::<Constant>::first(|| -1, |value| value).expect("a place");
    assert_eq!(unsafe { data.as_fn()(data.data(), 3) }, 3);
}
