// SPDX-License-Identifier: MIT OR Apache-2.0

//! `on_panic = abort`. A file of its own, since it starts its own program anew, which the filters of
//! other files would forbid.
#![allow(missing_docs, unreachable_pub, clippy::duplicate_mod, reason = "a test")]

#[path = "common/again.rs"]
mod again;

use again::again;
use ringback::callback_pool;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

callback_pool! { static ABORTS: Pool<extern "C" fn(i32) -> i32, 4>; fallback = -1; on_panic = abort; }

#[test]
fn abort_ends_the_process() {
    const MARK: &str = "RINGBACK_TEST_ABORT";
    if std::env::var_os(MARK).is_some() {
        let r = ABORTS.register(|_| panic!("provoked")).unwrap();
        (r.as_fn())(1);
        unreachable!("it went on");
    }
    let mut once_more = again("abort_ends_the_process", MARK);
    let status = once_more.stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
}
