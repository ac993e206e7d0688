// SPDX-License-Identifier: MIT OR Apache-2.0

//! Calls while a thread's storage is torn down: by C++, by Rust, by a `pthread` key.

use crate::{Function, life_thread_local_destructors};
use ringback::{Pending, Registration, callback_pool};
use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 64>; fallback = -1; reuse = oldest_first; }

#[test]
fn thread_local_destructors_of_cpp_call_in() {
    for _ in 0..100 {
        let mine = POOL.register(|x| x + 1).unwrap();
        // SAFETY: the function takes any number.
        assert_eq!(unsafe { life_thread_local_destructors(mine.as_fn()) }, 42);
        mine.unregister().unwrap();
    }
}

#[test]
fn thread_local_destructors_of_rust_call_in() {
    struct Late(Function, Arc<AtomicI32>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.1.fetch_add((self.0)(20), SeqCst);
        }
    }
    thread_local!(static FIRST: RefCell<Option<Late>> = const { RefCell::new(None) });
    thread_local!(static SECOND: RefCell<Option<Late>> = const { RefCell::new(None) });
    let mine = POOL.register(|x| x + 1).unwrap();
    let function = mine.as_fn();
    let answers = Arc::new(AtomicI32::new(0));
    let (first, second) = (answers.clone(), answers.clone());
    thread::spawn(move || {
        FIRST.set(Some(Late(function, first)));
        assert_eq!(function(1), 2);
        SECOND.set(Some(Late(function, second)));
    })
    .join()
    .unwrap();
    assert_eq!(answers.load(SeqCst), 42);
    mine.unregister().unwrap();
}

static ANSWER: AtomicI32 = AtomicI32::new(0);

extern "C" fn call_from_key(function: *mut c_void) {
    // SAFETY: the key's value is the address of a `Function`.
    let function = unsafe { std::mem::transmute::<*mut c_void, Function>(function) };
    ANSWER.fetch_add(function(20), SeqCst);
}

/// Made after ringback's own, so its destructor runs after the thread's record is given back.
fn key() -> libc::pthread_key_t {
    static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: `key` is written to.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(call_from_key)) }, 0);
        key
    })
}

#[test]
fn destructors_of_keys_call_in_after_the_record_is_given_back() {
    let mine = POOL
        .register(move |x| {
            // From inside, so that the counted call is known to be this thread's.
            if x == 20 {
                let me: Registration<POOL> = ME.lock().unwrap().take().unwrap();
                assert!(matches!(me.unregister(), Err(Pending::StillInside(_))));
            }
            x + 1
        })
        .unwrap();
    static ME: Mutex<Option<Registration<POOL>>> = Mutex::new(None);
    let function = mine.as_fn();
    *ME.lock().unwrap() = Some(mine);
    let key = key();
    thread::spawn(move || {
        assert_eq!(function(1), 2);
        // SAFETY: any value but null.
        assert_eq!(unsafe { libc::pthread_setspecific(key, function as *const c_void) }, 0);
    })
    .join()
    .unwrap();
    assert_eq!(ANSWER.load(SeqCst), 21);
    assert_eq!(function(1), -1);
}

/// A thousand threads that end, one after the other: their records are used again, so that no
/// thread is left to be counted.
#[test]
fn records_of_threads_that_ended_serve_others() {
    let mine = POOL.register(|x| x + 1).unwrap();
    let function = mine.as_fn();
    for _ in 0..1000 {
        let protected = thread::spawn(move || {
            assert_eq!(function(1), 2);
            ringback::attach_thread()
        });
        assert_eq!(Some(protected.join().unwrap()), ringback::protection());
    }
    mine.unregister().unwrap();
}
