// SPDX-License-Identifier: MIT OR Apache-2.0

//! A program without `std`: an interrupt is the foreign side, it calls a bare function pointer.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};
use ringback::{Quiet, Registration, Retired, SlotState, callback_pool};

/// What the interrupt calls.
pub type Function = extern "C" fn(u32) -> u32;

callback_pool! {
    /// Told of each tick.
    pub static ON_TICK: Pool<extern "C" fn(tick: u32) -> u32, 8>;
    fallback = u32::MAX;
    on_busy = u32::MAX - 1;
    reuse = oldest_first;
}

static HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static TICKS: AtomicU32 = AtomicU32::new(0);
static STALE: AtomicU32 = AtomicU32::new(0);
static SUM: AtomicU32 = AtomicU32::new(0);

/// The interrupt: runs at any instruction of [`run`], or on another thread.
pub fn tick() {
    let tick = TICKS.fetch_add(1, SeqCst);
    let handler = HANDLER.load(SeqCst);
    if !handler.is_null() {
        // SAFETY: set to one of the pool's functions, which are callable for ever.
        let function = unsafe { core::mem::transmute::<*mut (), Function>(handler) };
        if function(tick) == u32::MAX {
            STALE.fetch_add(1, SeqCst);
        }
    }
}

/// Until the interrupt has raised `counter` by `more`.
fn wait_for(counter: &AtomicU32, more: u32) {
    let begin = counter.load(SeqCst);
    while counter.load(SeqCst).wrapping_sub(begin) < more {
        core::hint::spin_loop();
    }
}

/// Polls until no call is inside.
fn until_quiet(mut retired: Retired<ON_TICK>) -> Quiet<ON_TICK> {
    loop {
        match retired.try_wait() {
            Ok(quiet) => return quiet,
            Err(back) => retired = back,
        }
    }
}

/// Registers in one of the pool's last slots. Where the interrupt is another thread, it may have been
/// stopped inside a stale call for long: that slot is not free yet.
fn when_free() -> Registration<ON_TICK> {
    loop {
        match ON_TICK.register(|tick| tick) {
            Ok(registration) => return registration,
            Err(full) => assert!(full.census.live < 8, "eight slots, eight listeners"),
        }
    }
}

/// Registers, retires and polls while the interrupt calls. Returns the rounds.
///
/// # Panics
/// If ringback does not do what it promises.
pub fn run(rounds: u32) -> u32 {
    /// Counts itself while it lives.
    struct Alive(&'static AtomicU32);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    static ALIVE: AtomicU32 = AtomicU32::new(0);
    for _ in 0..rounds {
        ALIVE.fetch_add(1, SeqCst);
        let alive = Alive(&ALIVE);
        let registration = ON_TICK
            .register(move |tick| {
                let Alive(alive) = &alive;
                assert!(alive.load(SeqCst) > 0, "called after it was dropped");
                SUM.fetch_add(1, SeqCst);
                tick / 2
            })
            .expect("a slot is free");
        HANDLER.store(registration.as_fn() as *mut (), SeqCst);
        wait_for(&SUM, 2); // it is called

        let quiet = until_quiet(registration.retire());
        assert_eq!(ALIVE.load(SeqCst), 0, "quiet, so dropped");
        wait_for(&STALE, 2); // stale calls are answered with the fallback
        quiet.confirm_forgotten();

        // One `FnMut` that is not re-entered, and a full pool that says so.
        let mut calls = 0;
        let mutable = ON_TICK.register_mut(move |tick| {
            calls += 1;
            tick.wrapping_add(calls)
        });
        let mutable = mutable.expect("a slot is free");
        HANDLER.store(mutable.as_fn() as *mut (), SeqCst);
        let others: Vec<_> = (0..7).map(|_| when_free()).collect();
        let full = ON_TICK.register(|tick| tick).expect_err("eight slots, nine listeners");
        assert_eq!(full.census.live, 8);
        let state = ON_TICK.describe(mutable.as_fn()).expect("one of ours").state;
        assert_eq!(state, SlotState::Live);
        until_quiet(mutable.retire());
        drop(others);
    }
    HANDLER.store(core::ptr::null_mut(), SeqCst);
    rounds
}
