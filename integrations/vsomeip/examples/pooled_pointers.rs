// SPDX-License-Identifier: MIT OR Apache-2.0

//! 5,000 bare C functions in vsomeip, each for another method; then 5,000 others on the same slots,
//! while queues are full and traffic goes on. No message may reach a wrong listener.
//!
//! vsomeip takes a `std::function`; here each holds nothing but a pointer of a pool, and a token. The
//! token's end is the proof that vsomeip cannot call the pointer any more: only then is the slot free, and
//! until then queued messages reach the listener they were for.

mod pointers;

use pointers::{POINTERS, Pair, Tally, first, second, target};
use ringback_vsomeip::vsomeip::{Application, Ending, Handler, Message};
use std::ffi::c_void;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

ringback::callback_pool! {
    /// vsomeip's message handlers: `message` is a `const std::shared_ptr<message> *`.
    pub static ON_MESSAGE: Pool<unsafe extern "C" fn(message: *const c_void), 5000>;
    reuse = after_confirmation;
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) delivered: u64,
    pub(crate) wrong: u64,
    /// Slots that were free while vsomeip still had their pointers in its queue.
    pub(crate) too_early: u64,
    /// Slots that were confirmed free.
    pub(crate) confirmed: u64,
}

/// Registers a pooled pointer for a method; the slot is confirmed free when its token dies.
fn register(
    server: &Application,
    method: u16,
    (tally, confirmed): (&Arc<Tally>, &Arc<AtomicU64>),
) -> Option<Handler> {
    let counted = Arc::clone(tally);
    let registration = ON_MESSAGE.register(move |message: *const c_void| {
        // SAFETY: vsomeip passes a message that lives during the call.
        let header = unsafe { Message::from_raw(message) }.header();
        counted.count(method, &header);
    });
    let registration = registration.ok()?; // full: slots are not confirmed yet
    let function = registration.as_fn();
    let confirmed = Arc::clone(confirmed);
    let gone = move || {
        // On our own thread. vsomeip holds no copy: nobody is inside, and nobody can call again.
        if let Ok(quiet) = registration.unregister() {
            quiet.confirm_forgotten();
            confirmed.fetch_add(1, SeqCst);
        }
    };
    // SAFETY: a thunk may be called at any time, and reads what vsomeip passes.
    unsafe { server.on_message_pointer(target(method), function, gone) }.ok()
}

fn unregister(handlers: Vec<Handler>) -> Vec<Ending> {
    handlers.into_iter().map(Handler::unregister).collect()
}

fn wait_for(endings: Vec<Ending>) {
    for ending in endings {
        ending.wait_timeout(Duration::from_secs(60)).expect("vsomeip lets go");
    }
}

pub(crate) fn run(configuration: Option<&Path>) -> Outcome {
    let pair = Pair::start(configuration);
    let tally = Arc::new(Tally::default());
    let confirmed = Arc::new(AtomicU64::new(0));
    let register = |method| register(&pair.server, method, (&tally, &confirmed));

    let old: Vec<_> = first().map_while(register).collect();
    assert_eq!(old.len(), usize::from(POINTERS), "the pool has room for all");
    assert!(register(9_999).is_none(), "and for no more");
    pair.send(first());
    tally.wait_for_each(first());
    println!("{POINTERS} pointers, {} messages delivered", tally.delivered(first()));

    let traffic = pair.traffic();
    let held = pair.hold();
    pair.send(first());
    pair.all_queued();
    // In the queue there is a copy of each pointer now. All of them are retired, and none is free.
    let endings = unregister(old);
    std::thread::sleep(Duration::from_millis(100));
    let too_early = confirmed.load(SeqCst) + u64::from(register(9_999).is_some());
    println!("all retired, all still in vsomeip's queue: {too_early} slots are free");

    drop(held);
    let start = Instant::now();
    let new: Vec<_> = second()
        .map(|method| {
            loop {
                match register(method) {
                    Some(handler) => break handler,
                    None => std::thread::sleep(Duration::from_millis(1)), // until one is confirmed
                }
            }
        })
        .collect();
    println!("all slots have new owners after {:?}", start.elapsed());
    wait_for(endings);
    pair.send(second());
    tally.wait_for_each(second());
    let sent = traffic.stop();
    pair.all_dispatched();
    wait_for(unregister(new));

    let outcome = Outcome {
        delivered: tally.delivered(first().chain(second())),
        wrong: tally.wrong.load(SeqCst),
        too_early,
        confirmed: confirmed.load(SeqCst),
    };
    println!(
        "{} messages of traffic meanwhile; delivered {}, at a wrong listener {}, slots confirmed {}",
        sent.to_first + sent.to_second,
        outcome.delivered,
        outcome.wrong,
        outcome.confirmed
    );
    outcome
}

#[allow(dead_code)] // the test has its own
fn main() {
    let outcome = pointers::alone("pooled-pointers", run);
    if (outcome.wrong, outcome.too_early) != (0, 0) {
        std::process::exit(1);
    }
}
