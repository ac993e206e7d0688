// SPDX-License-Identifier: MIT OR Apache-2.0

//! The process ends: handlers and destructors call in, foreign threads go on calling.

use crate::own_process;
use crate::{life_call_at_exit, life_start_callers};
use ringback::callback_pool;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::thread;

callback_pool! { static POOL: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; }

static CALLS: AtomicU64 = AtomicU64::new(0);

#[test]
fn atexit_handlers_and_destructors_of_statics_call_in() {
    let test = "exit::atexit_handlers_and_destructors_of_statics_call_in";
    let Some(output) = own_process::output(test) else {
        let mine = POOL.register(|x| x + 1).unwrap();
        assert_eq!(mine.as_fn()(1), 2);
        // SAFETY: the function is never unloaded and takes any number.
        unsafe { life_call_at_exit(mine.as_fn()) };
        let late = POOL.register(|x| x + 1).unwrap();
        drop(late);
        std::mem::forget(mine);
        std::process::exit(0);
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("atexit 41\n") && text.contains("static destructor 31\n"), "{text}");
}

#[test]
fn foreign_threads_go_on_calling_while_the_process_exits() {
    let test = "exit::foreign_threads_go_on_calling_while_the_process_exits";
    for _ in 0..30 {
        let Some(output) = own_process::output(test) else {
            let mine = POOL.register(|x| x + 1).unwrap();
            // SAFETY: the function is never unloaded and takes any number.
            unsafe { life_start_callers(mine.as_fn(), 4, &CALLS) };
            while CALLS.load(SeqCst) < 10_000 {
                thread::yield_now();
            }
            // SAFETY: as above.
            unsafe { life_call_at_exit(mine.as_fn()) };
            std::mem::forget(mine); // dropped, it would close the slot, and the callers abort on that
            std::process::exit(0);
        };
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("static destructor 31\n"));
    }
}
