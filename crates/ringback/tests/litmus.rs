// SPDX-License-Identifier: MIT OR Apache-2.0

//! The barrier protocol on the machine itself, by the million: plain stores and loads and a compiler
//! fence on one side, `membarrier(2)` on the other, as calls and retirers use them. The models
//! (`inbound/model.rs`) run full fences on both sides, so this is where the light one is tried.
//!
//! `LITMUS_ROUNDS` sets how often; `ci/litmus.sh` runs it by the million.
#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![cfg(all(target_os = "linux", not(miri)))]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::*, compiler_fence};
use std::thread;

/// On lines of their own, as a cell and a slot are.
#[repr(align(128))]
#[derive(Default)]
struct Apart(AtomicUsize);

fn rounds() -> usize {
    std::env::var("LITMUS_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: takes two integers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
}

fn light() {
    compiler_fence(SeqCst);
}

fn heavy() {
    std::sync::atomic::fence(SeqCst);
    assert!(membarrier(1 << 3));
    std::sync::atomic::fence(SeqCst);
}

/// Spins, but leaves the core to others where the other thread has none.
fn until(condition: impl Fn() -> bool) {
    let mut spins = 0_u32;
    while !condition() {
        spins = spins.wrapping_add(1);
        if spins.is_multiple_of(2000) {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

/// Two threads, round by round, at the same moment; returns in how many rounds `forbidden` held.
fn race(
    rounds: usize,
    caller: impl Fn(usize) -> usize + Sync,
    retirer: impl Fn(usize) -> usize + Sync,
    forbidden: impl Fn(usize, usize) -> bool,
) -> usize {
    assert!(membarrier(1 << 4), "membarrier(2) is not to be had here");
    let (turn, answer, done) = (Apart::default(), Apart::default(), Apart::default());
    let mut seen = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                until(|| turn.0.load(Acquire) == round);
                answer.0.store(caller(round), Relaxed);
                done.0.store(round, Release);
            }
        });
        for round in 1..=rounds {
            turn.0.store(round, Release);
            // Not always at the same distance, so that the two meet.
            for _ in 0..round % 64 {
                spin_loop();
            }
            let mine = retirer(round);
            until(|| done.0.load(Acquire) == round);
            seen += usize::from(forbidden(answer.0.load(Relaxed), mine));
        }
    });
    seen
}

/// Entry against unlink: the call writes its cell and reads the slot, the retirer writes the slot and
/// reads the cells. Returns in how many rounds both missed the other.
fn store_buffering(rounds: usize, retirers_fence: impl Fn() + Sync) -> usize {
    let (cell, slot) = (Apart::default(), Apart::default());
    race(
        rounds,
        |round| {
            cell.0.store(round, Release);
            light();
            usize::from(slot.0.load(Acquire) == round)
        },
        |round| {
            slot.0.store(round, Relaxed);
            retirers_fence();
            usize::from(cell.0.load(Acquire) == round)
        },
        |call_saw, retirer_saw| call_saw == 0 && retirer_saw == 0,
    )
}

#[test]
fn entry_and_retirement_never_both_miss_the_other() {
    assert_eq!(store_buffering(rounds(), heavy), 0);
}

/// What is tested can be seen at all: without the heavy half both do miss the other.
#[test]
fn without_the_barrier_they_do() {
    let rounds = 10 * rounds();
    let seen = store_buffering(rounds, light);
    println!("{seen} of {rounds} rounds went wrong without the barrier");
    // One core, or an emulator, shows one order only.
    let alone = thread::available_parallelism().map_or(true, |cores| cores.get() < 2);
    // A short run may miss it, and so does one that is instrumented: only `ci/litmus.sh` insists.
    let short = std::env::var_os("LITMUS_ROUNDS").is_none();
    assert!(seen > 0 || alone || short || std::env::var_os("RINGBACK_RUNNER").is_some());
}

/// Leave against the next entry of the same cell: a call uses the listener, clears its cell, and
/// enters another one there. A retirer that finds the cell without its listener must see what the
/// call did with it (the release sequence ends at the second store, which therefore is Release too).
#[test]
fn a_cell_that_is_used_again_hands_over_what_was_done_before() {
    let (cell, slot, used) = (Apart::default(), Apart::default(), Apart::default());
    let wrong = race(
        rounds(),
        |round| {
            cell.0.store(2 * round, Release); // enters listener `2 * round`
            light();
            let entered = slot.0.load(Acquire) != round;
            if entered {
                used.0.store(round, Relaxed); // uses it
            }
            cell.0.store(0, Release);
            light();
            cell.0.store(2 * round + 1, Release); // enters another
            light();
            usize::from(entered)
        },
        |round| {
            slot.0.store(round, Relaxed);
            heavy();
            let protected = cell.0.load(Acquire) == 2 * round;
            usize::from(!protected && used.0.load(Relaxed) != round)
        },
        // The call was inside, the retirer found it out of the listener, and did not see its use.
        |entered, unseen| entered == 1 && unseen == 1,
    );
    assert_eq!(wrong, 0);
}
