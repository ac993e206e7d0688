// SPDX-License-Identifier: MIT OR Apache-2.0

//! A thread beside the one that measures: it calls one function without a pause, on a core of its
//! own.

use crate::Result;
use crate::caller::nanoseconds_per_call;
use crate::contestants::Entry;
use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The calling thread, as the measuring one sees it.
pub struct Companion {
    /// The clock that runs while that thread does.
    clock: libc::clockid_t,
    refused: Cell<u32>,
}

impl Companion {
    /// Runs `work` on one core while another thread calls `entry` on the next; on the same core it
    /// would be out of the way of every barrier.
    pub fn run<T>(
        entry: Entry,
        factor: u64,
        work: impl FnOnce(&Companion) -> Result<T>,
    ) -> Result<T> {
        const CHUNK: u64 = 10_000;
        let stop = AtomicBool::new(false);
        let (started, starts) = mpsc::channel();
        thread::scope(|scope| {
            let stop = &stop;
            scope.spawn(move || {
                let clock = pin(1).and_then(|()| own_clock());
                nanoseconds_per_call(entry, factor, CHUNK);
                let _ = started.send(clock);
                while !stop.load(Ordering::Relaxed) {
                    nanoseconds_per_call(entry, factor, CHUNK); // checks what it is answered
                }
            });
            let result = starts.recv().map_err(Into::into).and_then(|clock| {
                let companion = Companion { clock: clock?, refused: Cell::new(0) };
                pin(0)?;
                work(&companion)
            });
            stop.store(true, Ordering::Relaxed);
            result
        })
    }

    /// A sample during which the companion was running nearly all the time; samples during which
    /// another program had its core are thrown away and taken anew.
    pub fn beside(&self, mut sample: impl FnMut() -> Result<f64>) -> Result<f64> {
        const PATIENCE: u32 = 1_000;
        loop {
            let (begin, ran) = (Instant::now(), self.ran()?);
            let value = sample()?;
            let (elapsed, ran) = (begin.elapsed(), self.ran()?.saturating_sub(ran));
            if ran >= elapsed * 4 / 5 {
                return Ok(value);
            }
            self.refused.set(self.refused.get() + 1);
            if self.refused.get() > PATIENCE {
                return Err("other programs take the second core; run again when it is free".into());
            }
        }
    }

    /// How long the companion has been on a core.
    fn ran(&self) -> io::Result<Duration> {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the structure is alive, and a clock that is not is an error.
        match unsafe { libc::clock_gettime(self.clock, &raw mut time) } {
            0 => Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// The clock that runs while the calling thread does.
fn own_clock() -> io::Result<libc::clockid_t> {
    let mut clock = 0;
    // SAFETY: the calling thread exists, and the variable is alive.
    match unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) } {
        0 => Ok(clock),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Keeps the calling thread on one core.
fn pin(core: usize) -> io::Result<()> {
    // SAFETY: a set of bits, for which zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is far below the size of the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set is alive, and its size is given; 0 is the calling thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
