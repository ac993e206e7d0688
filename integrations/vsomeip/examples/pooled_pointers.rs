// SPDX-License-Identifier: MIT OR Apache-2.0

//! 5,000 bare C functions in vsomeip, each for another method; then 5,000 others on the same slots,
//! while queues are full and traffic goes on. No message may reach a wrong listener.
//!
//! vsomeip takes a `std::function`; here each holds nothing but a pointer of a pool, and a token. The
//! token's end is the proof that vsomeip cannot call the pointer any more: only then is the slot free.

use ringback_vsomeip::vsomeip::{Application, Handler, Header, Message, MessageType, Target};
use ringback_vsomeip::{VsomeipApplicationConfig, VsomeipConfiguration};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const POINTERS: usize = 5_000;
const SERVICE: u16 = 0x1234;

ringback::callback_pool! {
    /// vsomeip's message handlers: `message` is a `const std::shared_ptr<message> *`.
    pub static ON_MESSAGE: Pool<unsafe extern "C" fn(message: *const c_void), 5000>;
    reuse = after_confirmation;
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub delivered: AtomicU64,
    pub wrong: AtomicU64,
    pub confirmed: AtomicUsize,
}

fn target(method: u16) -> Target {
    Target { service: SERVICE, instance: 1, method }
}

/// Registers a pooled pointer for a method; the slot is confirmed free when its token dies.
fn register(server: &Application, method: u16, tally: &Arc<Tally>) -> Option<Handler> {
    let counted = Arc::clone(tally);
    let registration = ON_MESSAGE.register(move |message: *const c_void| {
        // SAFETY: vsomeip passes a message that lives during the call.
        let header = unsafe { Message::from_raw(message) }.header();
        let right = (header.service, header.method) == (SERVICE, method);
        (if right { &counted.delivered } else { &counted.wrong }).fetch_add(1, SeqCst);
    });
    let registration = registration.ok()?; // full: slots are not confirmed yet
    let function = registration.as_fn();
    let counted = Arc::clone(tally);
    let gone = move || {
        // On our own thread. vsomeip holds no copy: nobody is inside, and nobody can call again.
        if let Ok(quiet) = registration.unregister() {
            quiet.confirm_forgotten();
            counted.confirmed.fetch_add(1, SeqCst);
        }
    };
    // SAFETY: a thunk may be called at any time, and reads what vsomeip passes.
    unsafe { server.on_message_pointer(target(method), function, gone) }.ok()
}

fn send(client: &Application, method: u16) {
    let header = Header {
        service: SERVICE,
        instance: 1,
        method,
        interface_version: 1,
        message_type: MessageType::RequestNoReturn as u8,
        reliable: true,
        ..Header::default()
    };
    client.send(&header, &method.to_be_bytes()).expect("vsomeip sends");
}

fn wait(what: &str, there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn run(configuration: Option<&std::path::Path>) -> Arc<Tally> {
    let limit = Duration::from_secs(5);
    let server = Application::start("a", configuration, limit).expect("a server");
    let client = Arc::new(Application::start("b", configuration, limit).expect("a client"));
    server.offer_service(target(0), 1, 0).expect("an offer");
    client.request_service(target(0), 1).expect("a request");
    wait("the service", || client.is_available(target(0)));

    let tally = Arc::new(Tally::default());
    let first: Vec<_> =
        (1..=POINTERS as u16).map(|method| register(&server, method, &tally)).collect();
    assert!(first.iter().all(Option::is_some), "the pool has room for all");
    assert!(register(&server, 9_999, &tally).is_none(), "and for no more");
    (1..=POINTERS as u16).for_each(|method| send(&client, method));
    wait("a message at each", || tally.delivered.load(SeqCst) == POINTERS as u64);
    println!("{POINTERS} pointers, {} messages delivered", tally.delivered.load(SeqCst));

    // Traffic to old and new methods alike, from here to the end.
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, stopped) = (Arc::clone(&client), Arc::clone(&stop));
    let traffic = std::thread::spawn(move || {
        let mut sent = 0_u64;
        while !stopped.load(SeqCst) {
            (1..=2 * POINTERS as u16).step_by(7).for_each(|method| send(&sender, method));
            sent += 1429;
            std::thread::sleep(Duration::from_millis(5));
        }
        sent
    });
    (1..=POINTERS as u16).for_each(|method| send(&client, method)); // a full queue
    let start = Instant::now();
    let endings: Vec<_> = first.into_iter().flatten().map(Handler::unregister).collect();
    let second: Vec<_> = (POINTERS as u16 + 1..=2 * POINTERS as u16)
        .map(|method| {
            loop {
                match register(&server, method, &tally) {
                    Some(handler) => break handler,
                    None => std::thread::sleep(Duration::from_millis(1)), // until a slot is confirmed
                }
            }
        })
        .collect();
    println!("all slots have new owners after {:?}", start.elapsed());
    for ending in endings {
        ending.wait_timeout(Duration::from_secs(60)).expect("vsomeip lets go");
    }
    let before = tally.delivered.load(SeqCst);
    (POINTERS as u16 + 1..=2 * POINTERS as u16).for_each(|method| send(&client, method));
    wait("a message at each of the new", || {
        tally.delivered.load(SeqCst) >= before + POINTERS as u64
    });
    stop.store(true, SeqCst);
    let sent = traffic.join().expect("traffic");
    for ending in second.into_iter().map(Handler::unregister).collect::<Vec<_>>() {
        ending.wait_timeout(Duration::from_secs(60)).expect("vsomeip lets go");
    }
    println!(
        "{sent} messages of traffic meanwhile; delivered {}, at a wrong listener {}, slots confirmed {}",
        tally.delivered.load(SeqCst),
        tally.wrong.load(SeqCst),
        tally.confirmed.load(SeqCst)
    );
    tally
}

#[allow(dead_code)] // the test has its own
fn main() {
    let a = VsomeipApplicationConfig::new("a", 0x0a0a);
    let json = VsomeipConfiguration::new(&a)
        .application(&VsomeipApplicationConfig::new("b", 0x0b0b))
        .network(&format!("pointers-{}", std::process::id()))
        .to_json();
    let path = std::env::temp_dir().join(format!("pointers-{}.json", std::process::id()));
    std::fs::write(&path, json).expect("a file in the temporary folder");
    let tally = run(Some(&path));
    let _ = std::fs::remove_file(path);
    if tally.wrong.load(SeqCst) != 0 {
        std::process::exit(1);
    }
}
