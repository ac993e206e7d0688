// SPDX-License-Identifier: MIT OR Apache-2.0

//! Any bytes become a sequence of operations on a pool: register, reserve, bind, call (also from inside
//! and on other threads), replace, retire, wait, confirm, unload. Each is done to the real pool and to a
//! `model` that knows no pointers, threads or barriers, and everything that can be seen must agree: the
//! answer of each call, when each listener is dropped (once), each slot's state, each counter.
//!
//! The bytes come from fixed seeds (`tests/seeds.rs`), from any number of seeds (`cargo run -p
//! ringback-fuzz -- SEEDS`), or from libFuzzer, which looks for those that reach new branches
//! (`ci/fuzz.sh`).
//!
//! ```text
//! bytes | operation: what to do | world: does it | pool
//!                               | model: says what must be seen
//! ```
//!
//! One operation follows the other, so that the model need not guess: another thread is either outside
//! of every listener, or parked inside one. What happens *during* an operation is for the loom models.
#![allow(missing_docs, reason = "a test")]
#![cfg(target_os = "linux")]

mod caller;
mod library;
mod model;
mod operation;
mod random;
mod world;

pub use random::bytes_of_seed;

use arbitrary::Unstructured;
use model::Model;
use ringback::{Reuse, callback_pool};
use std::cell::Cell;
use std::sync::Mutex;

pub(crate) type Function = extern "C" fn(i32) -> i32;

pub(crate) const FALLBACK: i32 = -1;
pub(crate) const ON_PANIC: i32 = -2;
pub(crate) const ON_BUSY: i32 = -3;
pub(crate) const ON_WRONG_THREAD: i32 = -4;

macro_rules! pools {
    ($($name:ident, $slots:literal, $reuse:ident, $protection:ident;)+) => { $(
        callback_pool! {
            static $name: Pool<extern "C" fn(i32) -> i32, $slots>;
            fallback = FALLBACK;
            on_panic = ON_PANIC;
            on_busy = ON_BUSY;
            on_wrong_thread = ON_WRONG_THREAD;
            reuse = $reuse;
            protection = $protection;
            count_calls = true;
        }
    )+ };
}
pools! {
    CONFIRMED, 4, after_confirmation, auto;
    OLDEST, 4, oldest_first, auto;
    COUNTED, 4, oldest_first, counter;
    NEVER, 512, never, auto;
}

/// What is known of each pool, kept from one run to the next as the pools are.
static MODELS: Mutex<[Option<Model>; 4]> = Mutex::new([None, None, None, None]);

/// Does what the bytes say.
///
/// Returns how many operations were done.
///
/// # Panics
/// Where a pool does not do as the model says. What the process does after that means nothing.
pub fn run(bytes: &[u8]) -> usize {
    let mut models = MODELS.lock().expect("an earlier run failed, so nothing is known any more");
    let mut bytes = Unstructured::new(bytes);
    let which = bytes.int_in_range(0..=3).unwrap_or(0);
    let model = models[which].take();
    let start = |slots, reuse| model.unwrap_or_else(|| Model::new(slots, reuse, which == 2));
    let done = Cell::new(0);
    let after = match which {
        0 => world::run(&CONFIRMED, start(4, Reuse::AfterConfirmation), &mut bytes, &done),
        1 => world::run(&OLDEST, start(4, Reuse::OldestFirst), &mut bytes, &done),
        2 => world::run(&COUNTED, start(4, Reuse::OldestFirst), &mut bytes, &done),
        _ => world::run(&NEVER, start(512, Reuse::Never), &mut bytes, &done),
    };
    models[which] = Some(after);
    done.get()
}
