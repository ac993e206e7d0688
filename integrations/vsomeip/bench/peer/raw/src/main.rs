// SPDX-License-Identifier: MIT OR Apache-2.0

//! The drop-in macro with the types of the real `vsomeip-sys`: its 5,000 functions go into vsomeip by
//! that crate's own glue, which gives them no token. They get new owners while the queue is full of
//! messages for the old ones and traffic goes on; none may reach a wrong listener. As the example
//! `raw_pointers`, where vsomeip-sys is not to be had.

#[path = "../../../../examples/pointers/mod.rs"]
mod pointers;

use pointers::{POINTERS, Pair, SERVICE, Tally, first, second, target};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use vsomeip_sys::glue::{
    ApplicationWrapper, MessageHandlerFnPtr, make_application_wrapper, make_runtime_wrapper,
};

mod pool {
    use cxx::SharedPtr;
    use vsomeip_sys::vsomeip;
    ringback_vsomeip::generate_message_handler_extern_c_fns!(5000);

    pub fn function(id: usize) -> extern "C" fn(&SharedPtr<vsomeip::message>) {
        message_handler_proc_macro::get_extern_fn(id)
    }
    pub fn ids() -> &'static ringback_vsomeip::raw::Ids {
        &message_handler_proc_macro::IDS
    }
}

/// The application of this name, as `vsomeip-sys` sees it.
fn wrapped(name: &str) -> cxx::UniquePtr<ApplicationWrapper> {
    let runtime = make_runtime_wrapper(vsomeip_sys::vsomeip::runtime::get());
    cxx::let_cxx_string!(name = name);
    make_application_wrapper(runtime.get_pinned().get_application(&name)).expect("it is started")
}

fn run(configuration: Option<&Path>) {
    let pair = Pair::start(configuration);
    let raw = wrapped("a");
    let tally = Arc::new(Tally::default());
    let register = |(id, method): (usize, u16)| {
        let tally = Arc::clone(&tally);
        let bound = pool::ids().bind(id, target(method), move |message| {
            tally.count(method, &message.header());
        });
        assert!(bound, "there is an id {id}");
        let function = MessageHandlerFnPtr(pool::function(id));
        raw.register_message_handler_fn_ptr_safe(SERVICE, 1, method, function);
    };
    first().enumerate().for_each(register);
    pair.send(first());
    tally.wait_for_each(first());

    let traffic = pair.traffic();
    let held = pair.hold();
    pair.send(first());
    pair.all_queued();
    // New owners, and vsomeip is told to forget the old ones: it keeps those in its queue.
    for (id, method) in first().enumerate() {
        pool::ids().release(id);
        raw.get_pinned().unregister_message_handler(SERVICE, 1, method);
    }
    second().enumerate().for_each(register);
    drop(held);
    pair.send(second());
    tally.wait_for_each(second());
    traffic.stop();
    pair.all_dispatched();
    let (stale, wrong) = (pool::ids().stale(), tally.wrong.load(SeqCst));
    println!(
        "{POINTERS} functions in vsomeip-sys, reused: {} delivered, {stale} stale, {wrong} at a wrong \
         listener",
        tally.delivered(first().chain(second())),
    );
    assert_eq!(wrong, 0);
    assert!(stale >= POINTERS.into(), "the old messages were on their way");
}

fn main() {
    pointers::alone("raw-vsomeip-sys", run);
    std::process::exit(0); // the functions are still in vsomeip, and may stay there
}
