// SPDX-License-Identifier: MIT OR Apache-2.0

//! The job: one thread sends, another renews listeners, the bus's own threads call them.

use crate::bus::{Bus, Hold, Key};
use crate::delivery::Delivery;
use crate::listeners::{BATCH, Ending, Failure, Listener, ListenerPool, end_all};
use crate::options::{Kind, Options};
use crate::progress::Progress;
use crate::report::{AsyncOutcome, Outcome};
use ringback::Reuse;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;
use std::{panic, thread};

/// After so many messages the sender waits for the bus: this bounds the queue.
const MOST_QUEUED: u64 = 10_000;

/// Does the job with the functions of the pool `S`.
pub(crate) fn run<S: ListenerPool>(options: &Options) -> Result<Outcome, Failure> {
    let bus = Bus::start(options.threads)
        .ok_or("the system refuses to start the threads; give fewer --threads")?;
    let delivery = match options.kind {
        Kind::Async => Some(Delivery::start()?),
        Kind::Sync => None,
    };
    let delivery = delivery.as_ref();
    // Oldest-first is to have as many slots as listeners, so the others are taken away.
    let surplus = match options.reuse {
        Reuse::OldestFirst => S::pool().slots() - options.listeners,
        _ => 0,
    };
    let _taken = (0..surplus).map(|_| S::pool().reserve()).collect::<Result<Vec<_>, _>>()?;

    let (mut churned, mut lasting) = (Vec::new(), Vec::new());
    for number in 0..options.listeners {
        let group = if number % 10 == 0 { &mut churned } else { &mut lasting };
        group.push(Listener::<S>::new(&bus, delivery, key(number))?);
    }
    let to_renew = churned.len();
    let churn = Churn::new(&bus, delivery, options, to_renew);
    let messages = options.messages - churn.probes as u64;

    let begin = Instant::now();
    let churned = thread::scope(|scope| {
        let (go, turns) = sync_channel(1);
        let churning = scope.spawn(|| churn.renew_all(churned, turns));
        send_all(&bus, options, messages, to_renew.div_ceil(BATCH), go);
        churning.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })?;
    bus.drain();
    let counts = bus.counts();
    let listeners: Vec<_> = lasting.into_iter().chain(churned).collect();
    let tallies: Vec<_> = listeners.iter().map(|listener| Arc::clone(&listener.tally)).collect();
    close(bus, delivery, listeners)?; // async listeners handle what waits for them
    let elapsed = begin.elapsed();

    let tallies = || tallies.iter().map(|tally| &**tally);
    let outcome = Outcome {
        counts,
        delivered: tallies().map(|tally| tally.delivered()).sum(),
        misdelivered: tallies().map(|tally| tally.misdelivered()).sum(),
        evidence: tallies().find_map(|tally| tally.evidence()).map(str::to_owned),
        stale: S::pool().stats().stale,
        listeners: options.listeners,
        churned: to_renew,
        threads: options.threads,
        elapsed,
        asynchronous: delivery.map(|delivery| AsyncOutcome {
            accounts: delivery.accounts(),
            out_of_order: tallies().map(|tally| tally.out_of_order()).sum(),
            overtaken: tallies().find_map(|tally| tally.overtaken()).map(str::to_owned),
            latencies: delivery.latencies(),
        }),
    };
    Ok(outcome)
}

fn key(number: usize) -> Key {
    let (service, method) = (number / 256, number % 256);
    Key { service: 0x1000 + service as u16, instance: 1, method: 0x8000 + method as u16 }
}

/// Sends so many messages to the listeners in turn, and says `go` so many times on the way.
fn send_all(bus: &Bus, options: &Options, messages: u64, turns: usize, go: SyncSender<()>) {
    let mut progress = Progress::new(options.messages);
    let every = messages.div_ceil(turns as u64).max(1);
    let keys = (0..options.listeners).cycle().map(key);
    for (sent, key) in (1..=messages).zip(keys) {
        bus.send(key);
        if sent % every == 0 {
            let _ = go.send(()); // fails if renewing has failed, which tells its reason itself
        }
        if sent % MOST_QUEUED == 0 {
            bus.drain();
            progress.reach(bus.counts().sent);
        }
    }
    progress.finish();
}

/// Unregisters listeners and registers them anew while messages flow.
struct Churn<'bus> {
    bus: &'bus Bus,
    delivery: Option<&'bus Delivery>,
    reuse: Reuse,
    /// Messages that are sent to make sure that the bus holds copies of what is unregistered.
    probes: usize,
}

impl<'bus> Churn<'bus> {
    fn new(
        bus: &'bus Bus,
        delivery: Option<&'bus Delivery>,
        options: &Options,
        listeners: usize,
    ) -> Self {
        let probed: usize =
            (0..listeners).step_by(2 * BATCH).map(|first| BATCH.min(listeners - first)).sum();
        let probes = usize::try_from(options.messages).map_or(probed, |most| probed.min(most));
        Churn { bus, delivery, reuse: options.reuse, probes }
    }

    /// Renews one batch at every turn, and the rest when no more turns come.
    ///
    /// Half of the batches are renewed while the bus runs freely, calls inside the listeners
    /// included. For the others it holds back a message to each listener, so that a copy of every
    /// old function surely outlives its registration.
    fn renew_all<S: ListenerPool>(
        mut self,
        mut listeners: Vec<Listener<S>>,
        turns: Receiver<()>,
    ) -> Result<Vec<Listener<S>>, Failure> {
        let mut renewed = Vec::with_capacity(listeners.len());
        let mut held = false;
        while !listeners.is_empty() {
            let batch: Vec<_> = listeners.drain(..BATCH.min(listeners.len())).collect();
            let _ = turns.recv(); // fails once all is sent
            held = !held;
            let hold = held.then(|| self.bus.hold());
            if held {
                let probed = batch.len().min(self.probes);
                batch[..probed].iter().for_each(|listener| self.bus.send(listener.key));
                self.probes -= probed;
            }
            renewed.extend(self.renew(batch, hold)?);
        }
        Ok(renewed)
    }

    fn renew<S: ListenerPool>(
        &self,
        batch: Vec<Listener<S>>,
        hold: Option<Hold<'_>>,
    ) -> Result<Vec<Listener<S>>, Failure> {
        let (guards, mut vacant): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|listener| listener.unregister(self.bus)).unzip();
        let mut quiet = end_all(guards, self.delivery, Ending::DiscardEverySecond)?;
        if self.reuse == Reuse::OldestFirst {
            quiet.clear();
        }
        vacant.rotate_left(1); // a slot that is free already gets a listener of another key
        let renew = |vacant| Listener::renew(self.bus, self.delivery, vacant);
        let renewed = vacant.into_iter().map(renew).collect();
        drop(hold);
        self.bus.drain(); // the bus has forgotten the old functions
        for quiet in quiet {
            quiet.confirm_forgotten();
        }
        renewed
    }
}

/// Ends the bus, and with it every copy of every function.
fn close<S: ListenerPool>(
    bus: Bus,
    delivery: Option<&Delivery>,
    listeners: Vec<Listener<S>>,
) -> Result<(), Failure> {
    let guards: Vec<_> =
        listeners.into_iter().map(|listener| listener.unregister(&bus).0).collect();
    drop(bus);
    for quiet in end_all(guards, delivery, Ending::Drain)? {
        quiet.confirm_forgotten();
    }
    Ok(())
}
