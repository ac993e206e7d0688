// SPDX-License-Identifier: MIT OR Apache-2.0

//! The drop-in macro with the types of the real `vsomeip-sys`: its 5,000 functions go into vsomeip by
//! that crate's own glue, which gives them no token. They get new owners while the queue is full of
//! messages for the old ones; none may reach a wrong listener.

use ringback_vsomeip::vsomeip::{Application, Header, MessageType, Target};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vsomeip_sys::glue::{
    ApplicationWrapper, MessageHandlerFnPtr, make_application_wrapper, make_runtime_wrapper,
};

mod pointers {
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

const COUNT: usize = 5_000;
const SERVICE: u16 = 0x1234;
const HOLD: u16 = 0xFFF0;

fn send(client: &Application, method: usize) {
    let header = Header {
        service: SERVICE,
        instance: 1,
        method: method as u16,
        interface_version: 1,
        message_type: MessageType::RequestNoReturn as u8,
        ..Header::default()
    };
    client.send(&header, b"x").expect("vsomeip sends");
}

fn wait(what: &str, there: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The application of this name, as `vsomeip-sys` sees it.
fn wrapped(name: &str) -> cxx::UniquePtr<ApplicationWrapper> {
    let runtime = make_runtime_wrapper(vsomeip_sys::vsomeip::runtime::get());
    cxx::let_cxx_string!(name = name);
    make_application_wrapper(runtime.get_pinned().get_application(&name)).expect("it is started")
}

fn main() {
    let limit = Duration::from_secs(10);
    let server = Application::start("pub", None, limit).expect("the server starts");
    let client = Application::start("sub", None, limit).expect("the client starts");
    let of = Target { service: SERVICE, instance: 1, method: 0 };
    server.offer_service(of, 1, 0).expect("offered");
    client.request_service(of, 1).expect("requested");
    wait("the service", || client.is_available(of));

    let raw = wrapped("pub");
    let (right, wrong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let register = |id: usize, method: usize| {
        let (right, wrong) = (right.clone(), wrong.clone());
        let target = Target { method: method as u16, ..of };
        let bound = pointers::ids().bind(id, target, move |message| {
            let fits = usize::from(message.header().method) == method;
            (if fits { &right } else { &wrong }).fetch_add(1, SeqCst);
        });
        assert!(bound, "there is an id {id}");
        let function = MessageHandlerFnPtr(pointers::function(id));
        raw.register_message_handler_fn_ptr_safe(SERVICE, 1, method as u16, function);
    };
    (0..COUNT).for_each(|id| register(id, id + 1));
    (0..COUNT).for_each(|id| send(&client, id + 1));
    wait("a message at each", || right.load(SeqCst) == COUNT as u64);

    // The dispatcher is held up, so that the queue is full of the old when the ids change owners.
    let (held, entered) = (Arc::new(Mutex::new(())), Arc::new(AtomicU64::new(0)));
    let (guard, waits, enters) = (held.lock().expect("free"), held.clone(), entered.clone());
    let blocker = server.on_message(Target { method: HOLD, ..of }, move |_| {
        enters.fetch_add(1, SeqCst);
        drop(waits.lock());
    });
    send(&client, HOLD.into());
    wait("the dispatcher to be held up", || entered.load(SeqCst) == 1);
    (0..COUNT).for_each(|id| send(&client, id + 1));
    // They have arrived, each with a copy of its function, when one more would.
    std::thread::sleep(Duration::from_secs(1));
    for id in 0..COUNT {
        pointers::ids().release(id);
        raw.get_pinned().unregister_message_handler(SERVICE, 1, (id + 1) as u16);
        register(id, COUNT + id + 1);
    }
    (0..COUNT).for_each(|id| send(&client, COUNT + id + 1));
    drop(guard);
    wait("the new messages at their places", || right.load(SeqCst) >= 2 * COUNT as u64);
    let stale = pointers::ids().stale();
    println!(
        "{COUNT} functions in vsomeip-sys, reused: {} delivered, {stale} stale, {} at a wrong listener",
        right.load(SeqCst),
        wrong.load(SeqCst)
    );
    assert_eq!((right.load(SeqCst), wrong.load(SeqCst)), (2 * COUNT as u64, 0));
    assert_eq!(stale, COUNT as u64, "the old messages were on their way");
    drop(blocker);
    std::process::exit(0); // the functions are still in vsomeip, and may stay there
}
