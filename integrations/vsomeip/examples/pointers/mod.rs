// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the two examples with 5,000 pointers share: two applications, traffic between them, and a
//! dispatcher that can be held up while its queue fills.
#![allow(dead_code, unreachable_pub)] // each example uses a part of this

use ringback_vsomeip::vsomeip::{Application, Handler, Header, MessageType, Target};
use ringback_vsomeip::{VsomeipApplicationConfig, VsomeipConfiguration};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

pub const POINTERS: u16 = 5_000;
pub const SERVICE: u16 = 0x1234;
/// Methods of the examples' own.
const HOLD: u16 = 0xFFF0;
const MARKER: u16 = 0xFFF1;

pub fn target(method: u16) -> Target {
    Target { service: SERVICE, instance: 1, method }
}

/// The methods of the first owners, and those of the second.
pub fn first() -> std::ops::RangeInclusive<u16> {
    1..=POINTERS
}

pub fn second() -> std::ops::RangeInclusive<u16> {
    POINTERS + 1..=2 * POINTERS
}

/// Who got what.
pub struct Tally {
    /// Messages delivered, by method.
    by_method: Vec<AtomicU64>,
    /// Messages at a listener of another method.
    pub wrong: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        let by_method = (0..=2 * POINTERS).map(|_| AtomicU64::new(0)).collect();
        Tally { by_method, wrong: AtomicU64::new(0) }
    }
}

impl Tally {
    /// The listener of `method` got this message.
    pub fn count(&self, method: u16, header: &Header) {
        let right = (header.service, header.method) == (SERVICE, method);
        let counter = if right { &self.by_method[usize::from(method)] } else { &self.wrong };
        counter.fetch_add(1, SeqCst);
    }

    pub fn delivered(&self, methods: impl Iterator<Item = u16>) -> u64 {
        methods.map(|method| self.by_method[usize::from(method)].load(SeqCst)).sum()
    }

    /// Waits until each of these methods had a message.
    pub fn wait_for_each(&self, methods: impl Iterator<Item = u16> + Clone) {
        wait("a message at each", || {
            methods.clone().all(|method| self.by_method[usize::from(method)].load(SeqCst) > 0)
        });
    }
}

pub fn wait(what: &str, there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        sleep(Duration::from_millis(1));
    }
}

/// A server, and a client that sends to it.
pub struct Pair {
    pub server: Application,
    client: Arc<Application>,
}

impl Pair {
    pub fn start(configuration: Option<&Path>) -> Self {
        let limit = Duration::from_secs(5);
        let server = Application::start("a", configuration, limit).expect("a server");
        let client = Arc::new(Application::start("b", configuration, limit).expect("a client"));
        server.offer_service(target(0), 1, 0).expect("an offer");
        client.request_service(target(0), 1).expect("a request");
        wait("the service", || client.is_available(target(0)));
        Pair { server, client }
    }

    pub fn send(&self, methods: impl Iterator<Item = u16>) {
        methods.for_each(|method| send(&self.client, method));
    }

    /// Messages to old and new methods alike, from here to the end.
    pub fn traffic(&self) -> Traffic {
        let (client, stop) = (Arc::clone(&self.client), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = spawn(move || {
            let (mut to_first, mut to_second) = (0, 0);
            while !stopped.load(SeqCst) {
                for method in (1..=2 * POINTERS).step_by(7) {
                    send(&client, method);
                    *(if method <= POINTERS { &mut to_first } else { &mut to_second }) += 1;
                }
                sleep(Duration::from_millis(10));
            }
            Sent { to_first, to_second }
        });
        Traffic { stop, thread }
    }

    /// Holds up vsomeip's only dispatcher until told to go on: what arrives is queued.
    pub fn hold(&self) -> Held {
        let gate = Arc::new(Gate::default());
        let waits = Arc::clone(&gate);
        let handler = self.server.on_message(target(HOLD), move |_| waits.pass());
        let held = Held { gate, _handler: handler.expect("a handler") };
        self.send(std::iter::once(HOLD));
        wait("the dispatcher to be held up", || held.gate.entered.load(SeqCst));
        held
    }

    /// Waits until all that was sent is in the queue of the dispatcher, which is held up: a handler
    /// whose own message is there cannot go, since vsomeip queues a copy of it with the message.
    pub fn all_queued(&self) {
        loop {
            let marker = self.server.on_message(target(MARKER), |_| {}).expect("a handler");
            self.send(std::iter::once(MARKER));
            sleep(Duration::from_millis(20));
            if marker.unregister().wait_timeout(Duration::from_millis(500)).is_err() {
                return;
            }
        }
    }

    /// Waits until all that was sent is dispatched.
    pub fn all_dispatched(&self) {
        let last = Arc::new(AtomicBool::new(false));
        let came = Arc::clone(&last);
        let marker = self.server.on_message(target(MARKER), move |_| came.store(true, SeqCst));
        self.send(std::iter::once(MARKER));
        wait("the last message", || last.load(SeqCst));
        drop(marker);
    }
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

/// How many messages the traffic was.
pub struct Sent {
    pub to_first: u64,
    pub to_second: u64,
}

pub struct Traffic {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Sent>,
}

impl Traffic {
    pub fn stop(self) -> Sent {
        self.stop.store(true, SeqCst);
        self.thread.join().expect("traffic")
    }
}

#[derive(Default)]
struct Gate {
    entered: AtomicBool,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        self.entered.store(true, SeqCst);
        let open = self.open.lock().expect("nobody panics with it");
        drop(self.opened.wait_while(open, |open| !*open));
    }
}

/// The dispatcher goes on when this is dropped.
pub struct Held {
    gate: Arc<Gate>,
    _handler: Handler,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Ok(mut open) = self.gate.open.lock() {
            *open = true;
        }
        self.gate.opened.notify_all();
    }
}

/// Runs an example by itself, with a configuration for this process alone.
pub fn alone<T>(name: &str, run: impl FnOnce(Option<&Path>) -> T) -> T {
    let network = format!("{name}-{}", std::process::id());
    let json = VsomeipConfiguration::new(&VsomeipApplicationConfig::new("a", 0x0a0a))
        .application(&VsomeipApplicationConfig::new("b", 0x0b0b))
        .network(&network)
        .to_json();
    let path = std::env::temp_dir().join(format!("{network}.json"));
    std::fs::write(&path, json).expect("a file in the temporary folder");
    let outcome = run(Some(&path));
    let _ = std::fs::remove_file(path);
    outcome
}
