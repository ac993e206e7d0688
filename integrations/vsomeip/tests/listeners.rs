// SPDX-License-Identifier: MIT OR Apache-2.0

//! Registering, unregistering, and listeners that misbehave.

mod common;

use common::*;
use ringback_vsomeip::{NotQuiet, Options, Overflow, Quiet, RuntimeConfig, UPTransportVsomeip};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;
use up_rust::{UCode, UListener, UMessage, UMessageBuilder, UTransport, UUri};

#[test]
fn the_rules_of_registering() {
    isolated("the_rules_of_registering", || {
        let options = Options::default().max_listeners(3).max_listeners_per_filter(2);
        let transport = transport("a", 0x3333, options);
        let listeners: Vec<_> = (0..4).map(|_| Recorder::new() as Arc<dyn UListener>).collect();
        let (topic, other) = (uri(TOPIC), uri(OTHER));
        let code = |result: Result<(), up_rust::UStatus>| result.map_err(|e| e.get_code());
        block_on(async {
            let register = async |topic: &UUri, which: usize| {
                code(transport.register_listener(topic, None, listeners[which].clone()).await)
            };
            let unregister = async |topic: &UUri, which: usize| {
                code(transport.unregister_listener(topic, None, listeners[which].clone()).await)
            };
            assert_eq!(register(&topic, 0).await, Ok(()));
            assert_eq!(register(&topic, 0).await, Ok(()), "twice is once");
            assert_eq!(register(&topic, 1).await, Ok(()), "several for one filter");
            assert_eq!(register(&topic, 2).await, Err(UCode::RESOURCE_EXHAUSTED), "of the filter");
            assert_eq!(register(&other, 0).await, Ok(()), "one for several filters");
            assert_eq!(register(&other, 1).await, Err(UCode::RESOURCE_EXHAUSTED), "of all");
            assert_eq!(unregister(&other, 1).await, Err(UCode::NOT_FOUND));
            assert_eq!(unregister(&topic, 0).await, Ok(()));
            assert_eq!(unregister(&topic, 0).await, Err(UCode::NOT_FOUND), "once is enough");
            assert_eq!(register(&topic, 2).await, Ok(()), "there is room again");
            let full = transport.register_listener(&other, None, listeners[1].clone()).await;
            let told = full.unwrap_err().get_message();
            assert!(told.contains("raise Options::max_listeners"), "{told}");

            let method = uri("//me/1111/1/7");
            assert_eq!(register(&method, 3).await, Err(UCode::INVALID_ARGUMENT));
            assert_eq!(unregister(&method, 3).await, Err(UCode::INVALID_ARGUMENT));
            let both_zero = uri("//me/1111/1/0");
            let result = transport
                .register_listener(&both_zero, Some(&both_zero), listeners[3].clone())
                .await;
            assert_eq!(code(result), Err(UCode::INVALID_ARGUMENT));
            let received = transport.receive(&topic, None).await;
            assert_eq!(received.unwrap_err().get_code(), UCode::UNIMPLEMENTED);
        });
    });
}

#[test]
fn overlapping_filters_are_all_served() {
    isolated("overlapping_filters_are_all_served", || {
        let (subscriber, publisher) = two(Options::default());
        let filters = [TOPIC, "//*/FFFFFFFF/FF/FFFF", "//*/1111/1/FFFF", "//*/1111/FF/8001", OTHER];
        let recorders: Vec<_> = filters.iter().map(|_| Recorder::new()).collect();
        block_on(async {
            for (filter, recorder) in filters.iter().zip(&recorders) {
                listen(&subscriber, filter, recorder.clone()).await;
            }
            listen(&subscriber, TOPIC, recorders[1].clone()).await; // two filters, still called once
            publisher.send(text(TOPIC, "one")).await.unwrap();
            publisher.send(text(OTHER, "two")).await.unwrap();
        });
        recorders[4].wait(1);
        recorders[1].wait(2);
        std::thread::sleep(Duration::from_millis(50));
        let counts: Vec<_> = recorders.iter().map(|recorder| recorder.count()).collect();
        assert_eq!(counts, [1, 2, 2, 1, 1]);
    });
}

#[test]
fn any_executor_will_do() {
    isolated("any_executor_will_do", || {
        let (subscriber, publisher) = two(Options::default());
        let recorder = Recorder::new();
        futures_lite::future::block_on(async {
            listen(&subscriber, TOPIC, recorder.clone()).await;
            publisher.send(text(TOPIC, "without tokio")).await.unwrap();
            let away = UMessageBuilder::request(uri("//me/5555/1/7"), uri("//me/1111/1/0"), 1000);
            let error = publisher.send({ away }.build().unwrap()).await.unwrap_err();
            assert_eq!(error.get_code(), UCode::UNAVAILABLE, "{error}");
            assert!(error.get_message().contains("raise Options::availability_wait"), "{error}");
            let soon = UMessageBuilder::request(uri("//me/5555/1/7"), uri("//me/1111/1/0"), 100);
            let error = publisher.send({ soon }.build().unwrap()).await.unwrap_err();
            assert_eq!(error.get_code(), UCode::DEADLINE_EXCEEDED, "{error}");
        });
        recorder.wait(1);
    });
}

#[test]
fn a_listener_that_blocks_holds_up_nobody_else_and_ends_quietly() {
    isolated("a_listener_that_blocks_holds_up_nobody_else_and_ends_quietly", || {
        let (subscriber, publisher) = two(Options::default().mailbox(4, Overflow::DropNewest));
        let (blocks, recorder) = (Arc::new(Blocks::default()), Recorder::new());
        let listener: Arc<dyn UListener> = blocks.clone();
        block_on(async {
            listen(&subscriber, TOPIC, listener.clone()).await;
            listen(&subscriber, OTHER, recorder.clone()).await;
            publisher.send(text(TOPIC, 0)).await.unwrap();
            wait_until("the first message", || blocks.entered.load(SeqCst) == 1);
            for number in 1..100 {
                publisher.send(text(TOPIC, number)).await.unwrap();
            }
            for number in 0..100 {
                publisher.send(text(OTHER, number)).await.unwrap();
                recorder.wait(number + 1);
            }
        });
        let counts = subscriber.listener_counts(&uri(TOPIC), None, &listener).unwrap();
        assert_eq!((counts.running, counts.queued, counts.rejected), (1, 4, 95), "{counts}");
        // From here on no call begins, though four wait and one is inside.
        let ending = subscriber.retire_listener(&uri(TOPIC), None, listener.clone()).unwrap();
        let ending = match ending.wait_timeout(Duration::from_millis(50)) {
            Err(NotQuiet::TimedOut(ending)) => ending,
            other => panic!("{other:?}"),
        };
        drop(listener);
        let gone = Arc::downgrade(&blocks);
        blocks.go_on.store(true, SeqCst);
        assert_eq!(blocks.entered.load(SeqCst), 1);
        drop(blocks);
        assert_eq!(block_on(ending).unwrap(), ending_is_quiet());
        assert_eq!(gone.strong_count(), 0, "it is dropped when quiet is told");
    });
}

fn ending_is_quiet() -> Quiet {
    // The proof has no public constructor; an ended handler is the way to one.
    let recorder = Recorder::new() as Arc<dyn UListener>;
    let transport = transport("c", 0x7777, Options::default());
    block_on(async { listen(&transport, OTHER, recorder.clone()).await });
    block_on(transport.retire_listener(&uri(OTHER), None, recorder).unwrap()).unwrap()
}

#[test]
fn a_blocking_policy_is_capped_and_counts() {
    isolated("a_blocking_policy_is_capped_and_counts", || {
        let policy = Overflow::Block(Duration::from_secs(3600));
        let (subscriber, publisher) = two(Options::default().mailbox(1, policy));
        let (blocks, recorder) = (Arc::new(Blocks::default()), Recorder::new());
        let listener: Arc<dyn UListener> = blocks.clone();
        block_on(async {
            listen(&subscriber, TOPIC, listener.clone()).await;
            listen(&subscriber, OTHER, recorder.clone()).await;
            for number in 0..10 {
                publisher.send(text(TOPIC, number)).await.unwrap();
                publisher.send(text(OTHER, number)).await.unwrap();
            }
        });
        recorder.wait(10); // an hour per message it would take without the cap
        let expected: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(recorder.texts(), expected, "one dispatcher, in order");
        let counts = subscriber.listener_counts(&uri(TOPIC), None, &listener).unwrap();
        assert_eq!((counts.running, counts.queued, counts.rejected), (1, 1, 8), "{counts}");
        assert_eq!(subscriber.stats().rejected, 8);
        blocks.go_on.store(true, SeqCst);
    });
}

#[test]
fn a_listener_that_panics_loses_one_message() {
    isolated("a_listener_that_panics_loses_one_message", || {
        let (subscriber, publisher) = two(Options::default());
        let recorder = Recorder::new();
        let inner = recorder.clone();
        let panics = Arc::new(Calls(move |message: UMessage| {
            let payload = message.payload.clone().unwrap();
            assert_ne!(&payload[..], b"3", "on purpose");
            futures_lite::future::block_on(inner.on_receive(message));
        }));
        block_on(async {
            listen(&subscriber, TOPIC, panics.clone()).await;
            for number in 0..6 {
                publisher.send(text(TOPIC, number)).await.unwrap();
            }
        });
        recorder.wait(5);
        assert_eq!(recorder.texts(), ["0", "1", "2", "4", "5"]);
        let listener = panics as Arc<dyn UListener>;
        wait_until("the counts", || {
            let counts = subscriber.listener_counts(&uri(TOPIC), None, &listener).unwrap();
            (counts.completed, counts.panicked) == (5, 1)
        });
        assert_eq!((subscriber.stats().panicked, publisher.stats().panicked), (1, 0));
    });
}

/// Unregisters itself while it is called.
struct EndsItself {
    transport: Weak<UPTransportVsomeip>,
    me: OnceLock<Weak<EndsItself>>,
    calls: AtomicUsize,
    answer: Mutex<Option<String>>,
}

#[async_trait::async_trait]
impl UListener for EndsItself {
    async fn on_receive(&self, _: UMessage) {
        self.calls.fetch_add(1, SeqCst);
        let Some(transport) = self.transport.upgrade() else { return };
        let me: Arc<dyn UListener> = self.me.get().unwrap().upgrade().unwrap();
        let ending = transport.retire_listener(&uri(TOPIC), None, me).unwrap();
        // It cannot wait for itself, and is told so.
        let ending = match ending.wait_timeout(Duration::from_secs(60)) {
            Err(NotQuiet::WouldDeadlock(ending)) => ending,
            other => panic!("{other:?}"),
        };
        let awaited = ending.await;
        *self.answer.lock().unwrap() = Some(format!("{}", awaited.unwrap_err()));
    }
}

#[test]
fn a_listener_may_unregister_itself() {
    isolated("a_listener_may_unregister_itself", || {
        let (subscriber, publisher) = two(Options::default());
        let subscriber = Arc::new(subscriber);
        let listener = Arc::new(EndsItself {
            transport: Arc::downgrade(&subscriber),
            me: OnceLock::new(),
            calls: AtomicUsize::new(0),
            answer: Mutex::new(None),
        });
        listener.me.set(Arc::downgrade(&listener)).unwrap();
        let recorder = Recorder::new();
        block_on(async {
            listen(&subscriber, TOPIC, listener.clone()).await;
            listen(&subscriber, TOPIC, recorder.clone()).await;
            for number in 0..50 {
                publisher.send(text(TOPIC, number)).await.unwrap();
            }
        });
        recorder.wait(50);
        wait_until("its end", || Arc::strong_count(&listener) == 1);
        assert_eq!(listener.calls.load(SeqCst), 1);
        let answer = listener.answer.lock().unwrap().clone().unwrap();
        assert!(answer.contains("cannot be waited for inside"), "{answer}");
    });
}

/// Its destructor uses the transport that it was registered with.
struct BusyDrop {
    transport: Weak<UPTransportVsomeip>,
    recorder: Arc<Recorder>,
    done: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl UListener for BusyDrop {
    async fn on_receive(&self, _: UMessage) {}
}

impl Drop for BusyDrop {
    fn drop(&mut self) {
        let Some(transport) = self.transport.upgrade() else { return };
        futures_lite::future::block_on(async {
            listen(&transport, OTHER, self.recorder.clone()).await;
            transport.send(text("//me/3333/1/8009", "from a destructor")).await.unwrap();
            let recorder = self.recorder.clone();
            transport.unregister_listener(&uri(OTHER), None, recorder).await.unwrap();
        });
        self.done.fetch_add(1, SeqCst);
    }
}

#[test]
fn destructors_may_use_the_transport() {
    isolated("destructors_may_use_the_transport", || {
        let (subscriber, publisher) = two(Options::default());
        let subscriber = Arc::new(subscriber);
        let done = Arc::new(AtomicUsize::new(0));
        block_on(async {
            for round in 0..20 {
                let listener: Arc<dyn UListener> = Arc::new(BusyDrop {
                    transport: Arc::downgrade(&subscriber),
                    recorder: Recorder::new(),
                    done: done.clone(),
                });
                listen(&subscriber, TOPIC, listener.clone()).await;
                publisher.send(text(TOPIC, round)).await.unwrap();
                let ending = subscriber.retire_listener(&uri(TOPIC), None, listener).unwrap();
                assert!(ending.await.is_ok());
                assert_eq!(done.load(SeqCst), round + 1);
            }
        });
    });
}

/// Panics when it is dropped.
struct BadDrop;

#[async_trait::async_trait]
impl UListener for BadDrop {
    async fn on_receive(&self, _: UMessage) {}
}

impl Drop for BadDrop {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[test]
fn a_destructor_that_panics_harms_nobody_on_its_thread() {
    isolated("a_destructor_that_panics_harms_nobody_on_its_thread", || {
        let (subscriber, publisher) = two(Options::default().runtime(RuntimeConfig::new(1)));
        let blocks = Arc::new(Blocks::default());
        block_on(async {
            listen(&subscriber, OTHER, blocks.clone()).await;
            for round in 0..5 {
                let bad: Arc<dyn UListener> = Arc::new(BadDrop);
                listen(&subscriber, TOPIC, bad.clone()).await;
                // The thread is held up until our own reference is gone: the last one is its.
                blocks.go_on.store(false, SeqCst);
                publisher.send(text(OTHER, round)).await.unwrap();
                wait_until("the thread", || blocks.entered.load(SeqCst) == round + 1);
                let ending = subscriber.retire_listener(&uri(TOPIC), None, bad).unwrap();
                assert!(!ending.is_quiet());
                blocks.go_on.store(true, SeqCst);
                assert!(ending.await.is_ok());
            }
        });
    });
}

#[test]
fn after_unregister_nothing_is_called_whatever_is_queued() {
    isolated("after_unregister_nothing_is_called_whatever_is_queued", || {
        let (subscriber, publisher) = two(Options::default());
        for round in 0..20 {
            let calls = Arc::new(AtomicUsize::new(0));
            let counts = calls.clone();
            let listener: Arc<dyn UListener> = Arc::new(Calls(move |_| {
                counts.fetch_add(1, SeqCst);
                std::thread::sleep(Duration::from_micros(200));
            }));
            let before = block_on(async {
                listen(&subscriber, TOPIC, listener.clone()).await;
                for number in 0..200 {
                    publisher.send(text(TOPIC, number)).await.unwrap();
                }
                let ending = subscriber.retire_listener(&uri(TOPIC), None, listener).unwrap();
                let before = calls.load(SeqCst);
                ending.await.unwrap();
                before
            });
            // One call may have begun, and not counted itself yet.
            assert!(calls.load(SeqCst) <= before + 1, "round {round}");
        }
    });
}

/// Is counted when it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

const LAST: &str = "//me/1111/1/8003";

#[test]
fn a_hundred_thousand_pairs_leave_nothing() {
    isolated("a_hundred_thousand_pairs_leave_nothing", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let topics = [TOPIC, OTHER, LAST].map(uri).to_vec();
        let publisher = transport("b", 0x1111, patient().topics(topics));
        let (kept, other) = (Recorder::new(), Recorder::new());
        block_on(async {
            listen(&subscriber, TOPIC, kept.clone()).await;
            listen(&subscriber, OTHER, other.clone()).await;
            publisher.send(text(OTHER, "before")).await.unwrap();
            other.wait(1);
            subscriber.unregister_listener(&uri(OTHER), None, other.clone()).await.unwrap();
        });
        // Messages go on while listeners come and go.
        let (dropped, stop) = (Arc::new(AtomicUsize::new(0)), AtomicBool::new(false));
        let traffic = || {
            let mut sent = 0;
            while !stop.load(SeqCst) {
                block_on(publisher.send(text(TOPIC, sent))).unwrap();
                sent += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            sent
        };
        let pairs = async {
            for _ in 0..100_000 {
                let counted = Counted(dropped.clone());
                let listener: Arc<dyn UListener> = Arc::new(Calls(move |_| {
                    let _ = &counted;
                }));
                listen(&subscriber, TOPIC, listener.clone()).await;
                subscriber.unregister_listener(&uri(TOPIC), None, listener).await.unwrap();
            }
            // And with vsomeip taking part: the last one of a topic ends the subscription.
            for _ in 0..500 {
                listen(&subscriber, OTHER, other.clone()).await;
                subscriber.unregister_listener(&uri(OTHER), None, other.clone()).await.unwrap();
            }
        };
        let sent = std::thread::scope(|scope| {
            let traffic = scope.spawn(traffic);
            block_on(pairs);
            stop.store(true, SeqCst);
            traffic.join().unwrap()
        });
        wait_until("all destructors", || dropped.load(SeqCst) == 100_000);
        kept.wait(sent);
        let expected: Vec<_> = (0..sent).map(|number| number.to_string()).collect();
        assert_eq!(kept.texts(), expected, "who stayed got each message, once and in order");
        block_on(async {
            // What vsomeip was told before this has reached the publisher when this has.
            listen(&subscriber, LAST, other.clone()).await;
            wait_until("the last subscription", || publisher.subscribers(&uri(LAST)) == 1);
            assert_eq!(publisher.subscribers(&uri(OTHER)), 0);
            publisher.send(text(OTHER, "nobody")).await.unwrap();
            listen(&subscriber, OTHER, other.clone()).await;
            wait_until("the subscription", || publisher.subscribers(&uri(OTHER)) == 1);
            publisher.send(text(OTHER, "after")).await.unwrap();
            publisher.send(text(OTHER, "last")).await.unwrap();
        });
        other.wait(3);
        assert_eq!(other.texts(), ["before", "after", "last"]);
        let kept = kept as Arc<dyn UListener>;
        let counts = subscriber.listener_counts(&uri(TOPIC), None, &kept).unwrap();
        assert_eq!((counts.completed, counts.rejected), (sent as u64, 0), "{counts}");
    });
}
