// SPDX-License-Identifier: MIT OR Apache-2.0

//! The first message of a topic, and who gets it.

mod common;

use common::logger::logged;
use common::*;
use ringback_vsomeip::{Options, UPTransportVsomeip};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use up_rust::{UCode, UTransport};

/// A subscriber that is attached long after the first one, while the publisher waits.
fn a_slow_one(recorder: Arc<Recorder>) -> thread::JoinHandle<UPTransportVsomeip> {
    let subscriber = transport("c", 0x4444, Options::default());
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        block_on(listen(&subscriber, TOPIC, recorder));
        subscriber
    })
}

fn both_get_the_first_message(options: Options) {
    let (first, second) = (Recorder::new(), Recorder::new());
    let subscriber = transport("a", 0x3333, Options::default());
    block_on(listen(&subscriber, TOPIC, first.clone()));
    let publisher = transport("b", 0x1111, options);
    let slow = a_slow_one(second.clone());
    block_on(async {
        publisher.send(text(TOPIC, "first")).await.unwrap();
        publisher.send(text(TOPIC, "second")).await.unwrap();
    });
    for recorder in [first, second] {
        recorder.wait(2);
        assert_eq!(recorder.texts(), ["first", "second"]);
    }
    drop(slow.join().unwrap());
}

#[test]
fn the_first_message_waits_for_as_many_as_there_are() {
    isolated("the_first_message_waits_for_as_many_as_there_are", || {
        let options = Options::default().first_send_wait(Duration::from_secs(60));
        both_get_the_first_message(options.first_send_subscribers(2));
        assert_eq!(logged("goes out"), [""; 0]);
    });
}

#[test]
fn where_that_is_not_known_it_waits_for_the_whole_time_and_says_so() {
    isolated("where_that_is_not_known_it_waits_for_the_whole_time_and_says_so", || {
        both_get_the_first_message(Options::default().first_send_wait(Duration::from_secs(3)));
        let line = logged("goes out").concat();
        let expected = "DEBUG: the first message of event 1111.0001.8001 goes out 3s after its service \
                        was offered, to 2 subscribers";
        assert!(line.starts_with(expected), "{line}");
    });
}

#[test]
fn two_subscribers_get_the_first_message_with_default_options() {
    isolated("two_subscribers_get_the_first_message_with_default_options", || {
        let recorders = [Recorder::new(), Recorder::new()];
        let subscribers = [("a", 0x3333), ("c", 0x4444)]
            .map(|(name, entity)| transport(name, entity, Options::default()));
        // What is promised: who is attached when the wait is over gets the first message. A machine may
        // be too busy for both to make it in 200 ms, but not every time.
        for round in 0..50 {
            let topic = format!("//me/{:x}/1/8001", 0x1111 + round);
            for (subscriber, recorder) in subscribers.iter().zip(&recorders) {
                block_on(listen(subscriber, &topic, recorder.clone()));
            }
            let publisher = transport("b", 0x1111, Options::default());
            block_on(publisher.declare_topic(&uri(&topic))).unwrap();
            if publisher.subscribers(&uri(&topic)) < 2 {
                continue;
            }
            block_on(publisher.send(text(&topic, "first"))).unwrap();
            recorders.iter().for_each(|recorder| recorder.wait(1));
            return;
        }
        panic!("it takes subscribers of one machine longer than 200 ms, always");
    });
}

#[test]
fn a_subscription_that_meets_the_offer_is_not_lost() {
    isolated("a_subscription_that_meets_the_offer_is_not_lost", || {
        let subscriber = transport("a", 0x3333, Options::default()); // the routing manager
        let publisher = transport("b", 0x1111, patient());
        let recorder = Recorder::new();
        for round in 0..300 {
            let topic = format!("//me/{:x}/1/8001", 0x2000 + round);
            thread::scope(|scope| {
                scope.spawn(|| block_on(listen(&subscriber, &topic, recorder.clone())));
                thread::sleep(Duration::from_micros(round % 10 * 50));
                block_on(publisher.declare_topic(&uri(&topic))).unwrap();
            });
            assert_eq!(publisher.subscribers(&uri(&topic)), 1, "round {round}");
        }
    });
}

#[test]
fn a_topic_that_nobody_listens_to_any_more_is_not_subscribed_to() {
    isolated("a_topic_that_nobody_listens_to_any_more_is_not_subscribed_to", || {
        let (subscriber, publisher) = two(Options::default());
        let recorder = Recorder::new();
        // Both at once, with the same listener: whoever is first, they leave nothing behind.
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        block_on(listen(&subscriber, TOPIC, recorder.clone()));
                        // Another thread may have been faster.
                        let (topic, listener) = (uri(TOPIC), recorder.clone());
                        let _ = block_on(subscriber.unregister_listener(&topic, None, listener));
                    }
                });
            }
        });
        wait_until("nobody", || publisher.subscribers(&uri(TOPIC)) == 0);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(publisher.subscribers(&uri(TOPIC)), 0, "and nobody is on the way");
        block_on(listen(&subscriber, TOPIC, recorder.clone()));
        wait_until("one", || publisher.subscribers(&uri(TOPIC)) == 1);
    });
}

#[test]
fn topics_can_be_declared_in_advance() {
    isolated("topics_can_be_declared_in_advance", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let (first, second) = (Recorder::new(), Recorder::new());
        block_on(async {
            listen(&subscriber, TOPIC, first.clone()).await;
            listen(&subscriber, OTHER, second.clone()).await;
            let third = "//me/1112/1/8001";
            let last = Recorder::new();
            listen(&subscriber, third, last.clone()).await;
            let topics = vec![uri(TOPIC), uri(OTHER)];
            let publisher = transport("b", 0x1111, patient().topics(topics));
            wait_until("both", || {
                [TOPIC, OTHER].iter().all(|topic| publisher.subscribers(&uri(topic)) == 1)
            });
            publisher.declare_topic(&uri(third)).await.unwrap();
            assert_eq!(publisher.subscribers(&uri(third)), 1);
            publisher.send(text(third, "first")).await.unwrap();
            last.wait(1);
            let method = publisher.declare_topic(&uri("//me/1111/1/7")).await;
            assert_eq!(method.unwrap_err().get_code(), UCode::INVALID_ARGUMENT);
            publisher.send(text(TOPIC, "first")).await.unwrap();
            publisher.send(text(OTHER, "first")).await.unwrap();
            first.wait(1);
            second.wait(1);
            publisher.shutdown().await;
            // And at the start, with the same check.
            for bad in ["//me/1111/1/7", "//me/1111/1/FFFF", "//me/FFFF/1/8001"] {
                let options = Options::default().topics(vec![uri(TOPIC), uri(bad)]);
                let error = try_transport("b", 0x1111, options).unwrap_err();
                assert_eq!(error.get_code(), UCode::INVALID_ARGUMENT, "{error}");
                assert!(error.get_message().contains(bad), "{error}");
            }
        });
    });
}
