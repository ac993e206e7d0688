// SPDX-License-Identifier: MIT OR Apache-2.0

//! Handlers in vsomeip, and the proof that they are gone.

mod common;
#[path = "../examples/pooled_pointers.rs"]
mod pooled_pointers;

use bytes::Bytes;
use common::*;
use ringback_vsomeip::NotQuiet;
use ringback_vsomeip::vsomeip::{Application, Error, Header, MessageType, Target, live_handlers};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const OF: Target = Target { service: 0x1234, instance: 1, method: 0x21 };
const LIMIT: Duration = Duration::from_secs(5);

fn pair() -> (Application, Application) {
    let server = Application::start("a", None, LIMIT).unwrap();
    let client = Application::start("b", None, LIMIT).unwrap();
    server.offer_service(OF, 1, 0).unwrap();
    client.request_service(OF, 1).unwrap();
    wait_until("the service", || client.is_available(OF));
    (server, client)
}

fn send(client: &Application) {
    let header = Header {
        service: OF.service,
        instance: OF.instance,
        method: OF.method,
        interface_version: 1,
        message_type: MessageType::RequestNoReturn as u8,
        ..Header::default()
    };
    client.send(&header, b"x").unwrap();
}

#[test]
fn five_thousand_pointers_and_no_wrong_listener() {
    isolated("five_thousand_pointers_and_no_wrong_listener", || {
        let outcome = pooled_pointers::run(None);
        assert_eq!(outcome.wrong, 0);
        assert_eq!(outcome.too_early, 0, "slots that were free while vsomeip had their pointers");
        assert_eq!(outcome.confirmed, 10_000);
        assert!(outcome.delivered >= 10_000);
    });
}

#[test]
fn an_idle_handler_is_gone_at_once_and_a_queued_one_later() {
    isolated("an_idle_handler_is_gone_at_once_and_a_queued_one_later", || {
        let (server, client) = pair();
        let idle = server.on_message(OF, |_| {}).unwrap();
        idle.unregister().wait_timeout(LIMIT).unwrap();

        // Fifty messages queued behind one that waits: vsomeip holds fifty copies.
        let calls = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().unwrap();
        let (counted, waits) = (calls.clone(), gate.clone());
        let handler = server
            .on_message(OF, move |_| {
                counted.fetch_add(1, SeqCst);
                drop(waits.lock().unwrap());
            })
            .unwrap();
        (0..50).for_each(|_| send(&client));
        wait_until("the first call", || calls.load(SeqCst) == 1);
        let ending = match handler.unregister().wait_timeout(Duration::from_millis(100)) {
            Err(NotQuiet::TimedOut(ending)) => ending,
            other => panic!("{other:?}"),
        };
        assert!(!ending.is_quiet());
        drop(held);
        block_on(ending).unwrap();
        assert_eq!(calls.load(SeqCst), 1, "the queued copies returned at once");
        assert_eq!(Arc::strong_count(&gate), 1, "the closure is dropped");
    });
}

#[test]
fn a_handler_that_panics_or_waits_for_itself_is_contained() {
    isolated("a_handler_that_panics_or_waits_for_itself_is_contained", || {
        let (server, client) = pair();
        let server = Arc::new(server);
        let calls = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(Mutex::new(None));
        let slot: Arc<Mutex<Option<ringback_vsomeip::vsomeip::Handler>>> = Arc::default();
        let (counted, told, own) = (calls.clone(), answer.clone(), slot.clone());
        let handler = server
            .on_message(OF, move |_| {
                assert_ne!(counted.fetch_add(1, SeqCst), 0, "on purpose");
                let own = own.lock().unwrap().take();
                if let Some(own) = own {
                    *told.lock().unwrap() = Some(own.unregister().wait_timeout(LIMIT));
                }
            })
            .unwrap();
        *slot.lock().unwrap() = Some(handler);
        (0..5).for_each(|_| send(&client));
        wait_until("the answer", || answer.lock().unwrap().is_some());
        let ending = match answer.lock().unwrap().take().unwrap() {
            Err(NotQuiet::WouldDeadlock(ending)) => ending,
            other => panic!("{other:?}"),
        };
        ending.wait_timeout(LIMIT).unwrap();
        assert_eq!(calls.load(SeqCst), 2);
    });
}

/// Registers a handler of each kind in place of another, whose guard goes then. The new one is called
/// all the same.
#[test]
fn the_guard_of_a_replaced_handler_leaves_its_successor() {
    isolated("the_guard_of_a_replaced_handler_leaves_its_successor", || {
        let event = Target { service: 0x2000, instance: 1, method: 0x8001 };
        let server = Application::start("a", None, LIMIT).unwrap();
        let client = Application::start("b", None, LIMIT).unwrap();
        let (old, new) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let register = |count: &Arc<AtomicUsize>| {
            let each = |bit: usize| {
                let count = count.clone();
                move || {
                    count.fetch_or(bit, SeqCst);
                }
            };
            let (message, available, subscribed, status) = (each(1), each(2), each(4), each(8));
            [
                client.on_message(event, move |_| message()).unwrap(),
                client.on_availability(event, move |_, _, _| available()).unwrap(),
                client.on_subscription_status(event, move |_| status()).unwrap(),
                server
                    .on_subscription(event, move |_, _| {
                        subscribed();
                        true
                    })
                    .unwrap(),
            ]
        };
        let replaced = register(&old);
        let handlers = register(&new);
        for handler in replaced {
            handler.unregister().wait_timeout(LIMIT).unwrap();
        }
        old.store(0, SeqCst); // of availability vsomeip tells at once how it is
        client.request_service(event, 1).unwrap();
        client.request_event(event).unwrap();
        client.subscribe(event, 1).unwrap();
        server.offer_service(event, 1, 0).unwrap();
        server.offer_event(event).unwrap();
        wait_until("all but the message", || new.load(SeqCst) == 14);
        wait_until("the message", || {
            server.notify(event, "x").unwrap(); // the subscriber is attached in a moment
            new.load(SeqCst) == 15
        });
        assert_eq!(old.load(SeqCst), 0);
        // And they can be taken out themselves.
        for handler in handlers {
            handler.unregister().wait_timeout(LIMIT).unwrap();
        }
        new.store(0, SeqCst);
        server.notify(event, "x").unwrap();
        server.stop_offer_service(event, 1, 0).unwrap();
        wait_until("it to be gone", || client.available_major(event).is_none());
        assert_eq!((old.load(SeqCst), new.load(SeqCst)), (0, 0));
    });
}

#[test]
fn a_destructor_may_use_vsomeip() {
    isolated("a_destructor_may_use_vsomeip", || {
        let (server, client) = pair();
        let server = Arc::new(server);
        struct Registers(Arc<Application>, Arc<AtomicUsize>);
        impl Drop for Registers {
            fn drop(&mut self) {
                assert_eq!(std::thread::current().name(), Some("ringback-reaper"));
                // Under vsomeip's own mutexes this would hang.
                let again = self.0.on_message(OF, |_| {}).unwrap();
                drop(again);
                self.1.fetch_add(1, SeqCst);
            }
        }
        let done = Arc::new(AtomicUsize::new(0));
        for round in 0..50 {
            let registers = Registers(server.clone(), done.clone());
            let handler = server
                .on_message(OF, move |_| {
                    let _ = &registers;
                })
                .unwrap();
            send(&client);
            handler.unregister().wait_timeout(LIMIT).unwrap();
            assert_eq!(done.load(SeqCst), round + 1);
        }
    });
}

#[test]
fn all_kinds_of_handlers_are_called_and_let_go() {
    isolated("all_kinds_of_handlers_are_called_and_let_go", || {
        let event = Target { service: 0x2000, instance: 1, method: 0x8001 };
        let server = Application::start("a", None, LIMIT).unwrap();
        let client = Application::start("b", None, LIMIT).unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let note = |log: &Arc<Mutex<Vec<String>>>, text: String| log.lock().unwrap().push(text);
        let (l1, l2, l3, l4) = (log.clone(), log.clone(), log.clone(), log.clone());
        let handlers = [
            client
                .on_availability(event, move |service, _, available| {
                    note(&l1, format!("available {service:x} {available}"));
                })
                .unwrap(),
            server
                .on_subscription(event, move |client, subscribed| {
                    note(&l2, format!("subscription {client:x} {subscribed}"));
                    true
                })
                .unwrap(),
            client
                .on_subscription_status(event, move |error| note(&l3, format!("status {error}")))
                .unwrap(),
            client
                .on_message(event, move |message| {
                    let payload = String::from_utf8(message.payload().to_vec()).unwrap();
                    note(&l4, format!("message {:x} {payload}", message.header().method));
                })
                .unwrap(),
        ];
        client.request_service(event, 1).unwrap();
        client.request_event(event).unwrap();
        client.subscribe(event, 1).unwrap();
        server.offer_service(event, 1, 0).unwrap();
        server.offer_event(event).unwrap();
        let has = |text: &str| {
            let wanted = text.to_owned();
            wait_until(text, || log.lock().unwrap().contains(&wanted));
        };
        has("available 2000 true");
        has(&format!("subscription {:x} true", client.client()));
        has("status 0");
        server.notify(event, "hello").unwrap();
        has("message 8001 hello");
        server.stop_offer_service(event, 1, 0).unwrap();
        has("available 2000 false");
        for handler in handlers {
            handler.unregister().wait_timeout(LIMIT).unwrap();
        }
        wait_until("it to be gone", || client.available_major(event).is_none());
    });
}

/// The bytes of a payload, whose owner panics when it is dropped.
struct Owner(Arc<AtomicUsize>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        b"lent"
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        panic!("a payload's owner");
    }
}

#[test]
fn a_payload_is_dropped_once_it_was_notified() {
    isolated("a_payload_is_dropped_once_it_was_notified", || {
        let event = Target { service: 0x2000, instance: 1, method: 0x8001 };
        let server = Application::start("a", None, LIMIT).unwrap();
        let client = Application::start("b", None, LIMIT).unwrap();
        let (attached, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counts, checks) = (attached.clone(), received.clone());
        let _subscribed = server.on_subscribed(event, move |_, _| {
            counts.fetch_add(1, SeqCst);
        });
        let _received = client.on_message(event, move |message| {
            assert_eq!(&*message.payload(), b"lent");
            checks.fetch_add(1, SeqCst);
        });
        server.offer_event(event).unwrap();
        server.offer_service(event, 1, 0).unwrap();
        client.request_service(event, 1).unwrap();
        client.request_event(event).unwrap();
        // vsomeip forgets a subscription that meets the offer, now and then.
        wait_until("the service", || client.is_available(event));
        client.subscribe(event, 1).unwrap();
        wait_until("the subscription", || attached.load(SeqCst) == 1);
        let dropped = Arc::new(AtomicUsize::new(0));
        let payload = || Bytes::from_owner(Owner(dropped.clone()));
        server.notify(event, payload()).unwrap();
        wait_until("the event", || received.load(SeqCst) == 1);
        server.notify_one(event, client.client(), payload()).unwrap();
        wait_until("the event for one", || received.load(SeqCst) == 2);
        // The copy that travels is vsomeip's.
        assert_eq!(dropped.load(SeqCst), 2);
        // Nobody is there to hear it: dropped all the same.
        server.notify_one(event, 0x7777, payload()).unwrap();
        assert_eq!(dropped.load(SeqCst), 3);
    });
}

#[test]
fn after_the_end_no_token_is_left() {
    isolated("after_the_end_no_token_is_left", || {
        for _ in 0..10 {
            let (server, client) = pair();
            let (calls, ending) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let (counted, told) = (calls.clone(), ending.clone());
            let handler = server
                .on_message(OF, move |_| {
                    counted.fetch_add(1, SeqCst);
                    // The first one is inside until the end begins: the others are queued behind it.
                    while !told.load(SeqCst) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    std::thread::sleep(Duration::from_millis(1));
                })
                .unwrap();
            (0..200).for_each(|_| send(&client));
            wait_until("a call", || calls.load(SeqCst) > 0);
            assert!(matches!(
                Application::start("a", None, LIMIT),
                Err(Error::NameTaken(name)) if name == "a"
            ));
            // One that vsomeip's own `clear_all_handler` forgets, and one that takes its time.
            let status = client.on_subscription_status(OF, |_| {}).unwrap();
            struct Slow;
            impl Drop for Slow {
                fn drop(&mut self) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            let slow = Slow;
            let dropped = server
                .on_availability(OF, move |_, _, _| {
                    let _ = &slow;
                })
                .unwrap();
            ending.store(true, SeqCst);
            server.stop().unwrap(); // with a queue that is not empty
            client.stop().unwrap();
            assert_eq!(live_handlers(), 0);
            let so_far = calls.load(SeqCst);
            assert!(so_far < 200, "{so_far}");
            drop((handler, status, dropped));
        }
    });
}

#[test]
fn a_process_may_exit_while_applications_run() {
    isolated_at_exit("a_process_may_exit_while_applications_run", || {
        let (server, client) = pair();
        let handler = server.on_message(OF, |_| {}).unwrap();
        std::thread::spawn(move || {
            loop {
                send(&client);
            }
        });
        std::thread::sleep(Duration::from_millis(100));
        std::mem::forget((server, handler)); // and so to the end of main
    });
}
