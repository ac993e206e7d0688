// SPDX-License-Identifier: MIT OR Apache-2.0

//! Jobs for a process of their own: the protection is chosen once per process, and callgrind watches
//! whole processes.

use super::plot;
use crate::Result;
use crate::caller::nanoseconds_per_call;
use crate::contestants::{Contestant, closure_ffi, counted, libffi, pooled};
use ringback::{Protection, callback_pool};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

const MARK: &str = "RINGBACK_BENCH_JOB";
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// What the calls run against.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    Loop,
    Membarrier,
    Fence,
    Counter,
}

impl Mode {
    pub const ALL: [Mode; 4] = [Mode::Loop, Mode::Membarrier, Mode::Fence, Mode::Counter];

    pub fn name(self) -> &'static str {
        match self {
            Mode::Loop => "empty_loop",
            Mode::Membarrier => "membarrier",
            Mode::Fence => "fence",
            Mode::Counter => "counter",
        }
    }

    fn protection(self) -> Protection {
        match self {
            Mode::Loop | Mode::Membarrier => Protection::Membarrier,
            Mode::Fence => Protection::Fence,
            Mode::Counter => Protection::Counter,
        }
    }
}

/// What another thread does meanwhile.
#[derive(Clone, Copy, PartialEq)]
pub enum Meanwhile {
    /// Registers and unregisters others.
    Unregisters,
    /// Replaces the very listener that is called.
    Replaces,
}

impl Meanwhile {
    pub const ALL: [Meanwhile; 2] = [Meanwhile::Unregisters, Meanwhile::Replaces];

    pub fn name(self) -> &'static str {
        match self {
            Meanwhile::Unregisters => "unregisters",
            Meanwhile::Replaces => "replaces",
        }
    }
}

pub enum Job {
    /// Times each call, and what happens meanwhile.
    Worst(Mode, Meanwhile),
    /// So many calls of this contestant, from C.
    Calls(&'static str, u64),
}

impl Job {
    fn words(&self) -> String {
        match self {
            Job::Worst(mode, meanwhile) => format!("worst {} {}", mode.name(), meanwhile.name()),
            Job::Calls(name, calls) => format!("calls {name} {calls}"),
        }
    }

    /// The command that does it, `wrapper` before the program.
    pub fn command(&self, wrapper: &[String]) -> Result<Command> {
        let program = std::env::current_exe()?;
        let mut command = match wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.env(MARK, self.words());
        Ok(command)
    }
}

/// Runs the job in a process of its own and reads the numbers that it prints.
pub fn start<T: FromIterator<u64>>(job: Job) -> Result<T> {
    let output = job.command(&[])?.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", job.words(), output.status).into());
    }
    let numbers = String::from_utf8(output.stdout)?;
    Ok(numbers.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

/// Does the job that this process was started for, if it was.
pub fn run() -> Option<Result<()>> {
    let words = std::env::var(MARK).ok()?;
    let words: Vec<&str> = words.split(' ').collect();
    Some(match words[..] {
        ["worst", mode, meanwhile] => {
            let mode = Mode::ALL.into_iter().find(|known| known.name() == mode);
            let meanwhile = Meanwhile::ALL.into_iter().find(|known| known.name() == meanwhile);
            match mode.zip(meanwhile) {
                Some((mode, meanwhile)) => worst(mode, meanwhile),
                None => Err(format!("{MARK} is not a job: {words:?}").into()),
            }
        }
        ["calls", name, calls] => calls.parse().map_err(Into::into).and_then(|n| call(name, n)),
        _ => Err(format!("{MARK} is not a job: {words:?}").into()),
    })
}

fn call(name: &str, calls: u64) -> Result<()> {
    let make: fn(u64) -> Contestant = match name {
        "hazard" | "fence" => pooled::contestant,
        "counter" => counted::contestant,
        "closure_ffi" => closure_ffi::contestant,
        "libffi" => libffi::contestant,
        _ => return Err(format!("no such contestant: {name}").into()),
    };
    if name == "fence" {
        ringback::init(Protection::Fence)?;
    }
    let contestant = make(FACTOR);
    if name == "hazard" && ringback::protection() != Some(Protection::Membarrier) {
        return Err("membarrier(2) is not to be had here".into());
    }
    if name != "counter" {
        ringback::attach_thread();
    }
    nanoseconds_per_call(contestant.entry, FACTOR, calls);
    Ok(())
}

callback_pool! {
    static CHURNED: Pool<extern "C" fn(u64) -> u64, 100>;
    fallback = u64::MAX;
    reuse = oldest_first;
}

const CALLS: u64 = 10_000_000;
/// Unregisters, or replaces.
const CHANGES: usize = 100_000;

/// How many calls took so long: exact below 100 microseconds, each by itself above.
struct Times {
    calls: u64,
    quick: Vec<u64>,
    slow: Vec<u64>,
}

impl Times {
    fn new() -> Self {
        Times { calls: 0, quick: vec![0; 100_000], slow: Vec::with_capacity(10_000_000) }
    }

    fn note(&mut self, nanoseconds: u128) {
        self.calls += 1;
        match self.quick.get_mut(nanoseconds as usize) {
            Some(count) => *count += 1,
            None => self.slow.push(nanoseconds as u64),
        }
    }

    /// The time that all but so many calls took at most.
    fn all_but(&self, rest: u64) -> u64 {
        let slow = self.slow.len() as u64;
        if rest < slow {
            return self.slow[(slow - 1 - rest) as usize]; // sorted by then
        }
        let mut above = slow;
        let place = self.quick.iter().rposition(|count| {
            above += count;
            above > rest
        });
        place.unwrap_or(0) as u64
    }
}

/// Prints the nanoseconds of the slowest call, and of those at the percentiles of the plot.
fn worst(mode: Mode, meanwhile: Meanwhile) -> Result<()> {
    ringback::init(mode.protection())?;
    let multiply = |x: u64| x.wrapping_mul(FACTOR);
    let mut called = CHURNED.register(multiply).map_err(|full| full.to_string())?;
    let function = called.as_fn();
    let over = AtomicBool::new(false);
    let mut times = Times::new();
    thread::scope(|scope| {
        let (called, over) = (&mut called, &over);
        scope.spawn(move || {
            for _ in 0..CHANGES {
                match meanwhile {
                    Meanwhile::Unregisters => {
                        let other = CHURNED.register(|x| x).expect("a slot is free");
                        other.unregister().expect("nobody is inside");
                    }
                    Meanwhile::Replaces => {
                        let before = called.replace(multiply).expect("it is registered");
                        before.wait().expect("whoever is inside leaves");
                    }
                }
            }
            over.store(true, SeqCst);
        });
        ringback::attach_thread();
        while times.calls < CALLS || !over.load(SeqCst) {
            let argument = times.calls;
            let begin = Instant::now();
            if mode != Mode::Loop {
                let answer = function(argument);
                assert_eq!(answer, argument.wrapping_mul(FACTOR));
            }
            times.note(begin.elapsed().as_nanos());
        }
    });
    times.slow.sort_unstable();
    let mut out = times.all_but(0).to_string();
    for rest in plot::rests() {
        out += &format!(" {}", times.all_but((rest * times.calls as f64) as u64));
    }
    print!("{out}");
    Ok(())
}
