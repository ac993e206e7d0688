// SPDX-License-Identifier: MIT OR Apache-2.0

//! The same on the raw path of the crate `vsomeip-sys`: 5,000 bare C functions in vsomeip by the drop-in
//! for `generate_message_handler_extern_c_fns!`, without a token. Nobody can tell when vsomeip has
//! forgotten such a pointer, so each id compares what comes with what it is bound to: what does not fit
//! is stale, and reaches nobody.
//!
//! The functions get new owners while the queue is full of messages for the old ones, traffic goes on,
//! and vsomeip keeps every old pointer. The glue of `vsomeip-sys` itself is not linked here;
//! `on_message_pointer` makes the same `std::function`, and this code makes no use of its token.

mod pointers;

use pointers::{POINTERS, Pair, Tally, first, second, target};
use ringback_vsomeip::vsomeip::Handler;
use std::ffi::c_void;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

mod pool {
    /// The names that `vsomeip-sys` gives.
    mod vsomeip {
        #[allow(non_camel_case_types)]
        pub(super) struct message;
    }
    pub(super) struct SharedPtr<T>(std::marker::PhantomData<T>);
    ringback_vsomeip::generate_message_handler_extern_c_fns!(5000);

    /// The function of an id, as vsomeip is to be given it.
    pub(super) fn function(id: usize) -> unsafe extern "C" fn(*const super::c_void) {
        let function = message_handler_proc_macro::get_extern_fn(id);
        // SAFETY: a reference to a shared pointer is passed as the pointer that it is.
        unsafe {
            std::mem::transmute::<
                extern "C" fn(&SharedPtr<vsomeip::message>),
                unsafe extern "C" fn(*const super::c_void),
            >(function)
        }
    }

    pub(super) fn ids() -> &'static ringback_vsomeip::raw::Ids {
        &message_handler_proc_macro::IDS
    }

    pub(super) fn free() -> usize {
        message_handler_proc_macro::FREE_MESSAGE_HANDLER_IDS.read().unwrap().len()
    }
}

/// What came of it.
pub(crate) struct Outcome {
    /// Messages to the old methods: sent, delivered, and counted as stale.
    pub(crate) old: [u64; 3],
    /// Messages delivered to the new methods.
    pub(crate) new: u64,
    pub(crate) wrong: u64,
}

pub(crate) fn run(configuration: Option<&Path>) -> Outcome {
    let pair = Pair::start(configuration);
    let tally = Arc::new(Tally::default());
    assert_eq!(pool::free(), usize::from(POINTERS));
    let bind = |id: usize, method: u16| {
        let tally = Arc::clone(&tally);
        let bound = pool::ids().bind(id, target(method), move |message| {
            tally.count(method, &message.header());
        });
        assert!(bound, "there is an id {id}");
    };
    let register = |(id, method): (usize, u16)| -> Handler {
        // SAFETY: a pooled pointer may be called at any time.
        unsafe { pair.server.on_message_pointer(target(method), pool::function(id), || {}) }
            .expect("a handler")
    };
    first().enumerate().for_each(|(id, method)| bind(id, method));
    let old: Vec<_> = first().enumerate().map(register).collect();
    pair.send(first());
    tally.wait_for_each(first());
    println!("{POINTERS} functions, {} messages delivered", tally.delivered(first()));

    let traffic = pair.traffic();
    let held = pair.hold();
    pair.send(first());
    pair.all_queued();
    // New owners, and vsomeip keeps every old pointer.
    for (id, method) in second().enumerate() {
        pool::ids().release(id);
        bind(id, method);
    }
    let new: Vec<_> = second().enumerate().map(register).collect();
    drop(held);
    pair.send(second());
    tally.wait_for_each(second());
    let sent = traffic.stop();
    pair.all_dispatched();
    let outcome = Outcome {
        old: [
            2 * u64::from(POINTERS) + sent.to_first,
            tally.delivered(first()),
            pool::ids().stale(),
        ],
        new: tally.delivered(second()),
        wrong: tally.wrong.load(SeqCst),
    };
    println!(
        "{} messages to the old owners: {} delivered, {} stale; {} to the new ones; {} at a wrong \
         listener",
        outcome.old[0], outcome.old[1], outcome.old[2], outcome.new, outcome.wrong
    );
    drop((old, new));
    outcome
}

#[allow(dead_code)] // the test has its own
fn main() {
    let Outcome { old: [sent, delivered, stale], wrong, .. } = pointers::alone("raw-pointers", run);
    if wrong != 0 || delivered + stale != sent {
        std::process::exit(1);
    }
}
