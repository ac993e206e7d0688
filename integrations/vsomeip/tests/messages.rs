// SPDX-License-Identifier: MIT OR Apache-2.0

//! Messages of every type, through the real library.

mod common;

use common::logger::logged;
use common::*;
use ringback_vsomeip::{Options, Overflow};
use std::sync::Arc;
use std::time::Duration;
use up_rust::{
    UCode, UListener, UMessageBuilder, UMessageType, UPayloadFormat, UPriority, UTransport, UUri,
};

const METHOD: &str = "//me/2222/1/7";

#[test]
fn the_first_message_and_equal_ones_arrive_in_order() {
    isolated("the_first_message_and_equal_ones_arrive_in_order", || {
        let options = || Options::default().mailbox(64, Overflow::Block(Duration::from_millis(40)));
        let subscriber = transport("a", 0x3333, options());
        let publisher = transport("b", 0x1111, patient());
        let recorder = Recorder::new();
        block_on(async {
            subscriber.register_listener(&uri(TOPIC), None, recorder.clone()).await.unwrap();
            for number in 0..2_000 {
                publisher.send(text(TOPIC, number / 2)).await.unwrap();
            }
        });
        recorder.wait(2_000);
        let expected: Vec<_> = (0..2_000).map(|number| format!("{}", number / 2)).collect();
        assert_eq!(recorder.texts(), expected);
        let first = recorder.messages.lock().unwrap()[0].clone();
        assert_eq!(first.type_unchecked(), UMessageType::UMESSAGE_TYPE_PUBLISH);
        assert_eq!(first.source_unchecked(), &uri(TOPIC));
        assert_eq!(first.priority_unchecked(), UPriority::UPRIORITY_CS1);
        assert_eq!(first.payload_format_unchecked(), UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED);
        assert_eq!(subscriber.stats().rejected, 0);
        assert_eq!(publisher.subscribers(&uri(TOPIC)), 1);
    });
}

struct Echo {
    transport: Arc<ringback_vsomeip::UPTransportVsomeip>,
    code: UCode,
}

#[async_trait::async_trait]
impl UListener for Echo {
    async fn on_receive(&self, request: up_rust::UMessage) {
        let response = UMessageBuilder::response_for_request(&request.attributes)
            .with_comm_status(self.code)
            .build_with_payload(
                request.payload.unwrap_or_default(),
                UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED,
            )
            .unwrap();
        self.transport.send(response).await.unwrap();
    }
}

#[test]
fn a_request_is_answered() {
    isolated("a_request_is_answered", || {
        for code in [UCode::OK, UCode::NOT_FOUND, UCode::RESOURCE_EXHAUSTED] {
            let server = Arc::new(transport("a", 0x2222, Options::default()));
            let client = transport("b", 0x3333, Options::default());
            let recorder = Recorder::new();
            let echo = Arc::new(Echo { transport: server.clone(), code });
            let me = uri("//me/3333/1/0");
            block_on(async {
                server
                    .register_listener(
                        &UUri::any_with_resource_id(0),
                        Some(&uri(METHOD)),
                        echo.clone(),
                    )
                    .await
                    .unwrap();
                client.register_listener(&UUri::any(), Some(&me), recorder.clone()).await.unwrap();
                let request = UMessageBuilder::request(uri(METHOD), me.clone(), 5_000)
                    .with_priority(UPriority::UPRIORITY_CS5)
                    .build_with_payload("ping", UPayloadFormat::UPAYLOAD_FORMAT_TEXT)
                    .unwrap();
                let id = request.id_unchecked().clone();
                client.send(request).await.unwrap();
                recorder.wait(1);
                let response = recorder.messages.lock().unwrap()[0].clone();
                let expected =
                    if code == UCode::RESOURCE_EXHAUSTED { UCode::UNKNOWN } else { code };
                assert_eq!(response.type_unchecked(), UMessageType::UMESSAGE_TYPE_RESPONSE);
                assert_eq!(response.request_id_unchecked(), &id);
                assert_eq!(response.commstatus_unchecked(), expected);
                assert_eq!(response.priority_unchecked(), UPriority::UPRIORITY_CS5);
                assert_eq!(response.source_unchecked(), &uri(METHOD));
                assert_eq!(response.sink_unchecked(), &me);
                assert_eq!(recorder.texts(), ["ping"]);
                // It holds the transport: whoever lets go last ends that, and it is to be us, so that
                // the name is free again.
                let anybody = UUri::any_with_resource_id(0);
                let ending = server.retire_listener(&anybody, Some(&uri(METHOD)), echo).unwrap();
                ending.await.unwrap();
            });
        }
    });
}

/// Answers only when told to; keeps the requests until then.
#[derive(Default)]
struct Slow(std::sync::Mutex<Vec<up_rust::UMessage>>);

#[async_trait::async_trait]
impl UListener for Slow {
    async fn on_receive(&self, request: up_rust::UMessage) {
        self.0.lock().unwrap().push(request);
    }
}

async fn serve(server: &ringback_vsomeip::UPTransportVsomeip, listener: Arc<dyn UListener>) {
    let anybody = UUri::any_with_resource_id(0);
    server.register_listener(&anybody, Some(&uri(METHOD)), listener).await.unwrap();
}

fn request(ttl: u32) -> up_rust::UMessage {
    UMessageBuilder::request(uri(METHOD), uri("//me/3333/1/0"), ttl).build().unwrap()
}

#[test]
fn a_request_without_an_answer_ends_with_an_error_and_the_late_one_is_ignored() {
    let test = "a_request_without_an_answer_ends_with_an_error_and_the_late_one_is_ignored";
    isolated(test, || {
        let server = transport("a", 0x2222, Options::default());
        let client = transport("b", 0x3333, Options::default());
        let (slow, recorder) = (Arc::new(Slow::default()), Recorder::new());
        block_on(async {
            serve(&server, slow.clone()).await;
            let me = uri("//me/3333/1/0");
            client.register_listener(&uri(METHOD), Some(&me), recorder.clone()).await.unwrap();
            let (long, short) = (request(60_000), request(150));
            let id = short.id_unchecked().clone();
            client.send(long).await.unwrap();
            client.send(short).await.unwrap();
            recorder.wait(1);
            let error = recorder.messages.lock().unwrap()[0].clone();
            assert_eq!(error.request_id_unchecked(), &id);
            assert_eq!(error.commstatus_unchecked(), UCode::DEADLINE_EXCEEDED);
            assert_eq!(client.stats().expired_requests, 1);
            let requests = std::mem::take(&mut *slow.0.lock().unwrap());
            for late in requests.iter().rev() {
                let response = UMessageBuilder::response_for_request(&late.attributes);
                server.send({ response }.build().unwrap()).await.unwrap();
            }
            recorder.wait(2);
            let messages = recorder.messages.lock().unwrap().clone();
            assert_eq!(messages.len(), 2, "the late one was not delivered");
            assert_eq!(messages[1].commstatus_unchecked(), UCode::OK);
            assert_eq!(client.stats().late_responses, 1);
            // A request can be answered once.
            let again = UMessageBuilder::response_for_request(&requests[0].attributes);
            let error = server.send({ again }.build().unwrap()).await.unwrap_err();
            assert_eq!(error.get_code(), UCode::NOT_FOUND);
        });
    });
}

#[test]
fn seventy_thousand_requests_are_answered_each_by_its_own() {
    isolated("seventy_thousand_requests_are_answered_each_by_its_own", || {
        const REQUESTS: usize = 70_000; // session ids repeat after 65,535
        let options =
            || Options::default().mailbox(4096, Overflow::Block(Duration::from_millis(50)));
        let server = Arc::new(transport("a", 0x2222, options()));
        let client = transport("b", 0x3333, options());
        let open = Arc::new(std::sync::Mutex::new(std::collections::HashSet::new()));
        let wrong = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let answered = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (o, w, a) = (open.clone(), wrong.clone(), answered.clone());
        let listener = Arc::new(Calls(move |response: up_rust::UMessage| {
            use std::sync::atomic::Ordering::SeqCst;
            let id = response.request_id_unchecked();
            // The payload repeats the request's number, which the client keeps with its id.
            let number = response.payload.clone().unwrap_or_default();
            if !o.lock().unwrap().remove(&(id.msb, id.lsb, number.to_vec())) {
                w.fetch_add(1, SeqCst);
            }
            a.fetch_add(1, SeqCst);
        }));
        block_on(async {
            serve(&server, Arc::new(Echo { transport: server.clone(), code: UCode::OK })).await;
            let me = uri("//me/3333/1/0");
            client.register_listener(&UUri::any(), Some(&me), listener).await.unwrap();
            for number in 0..REQUESTS {
                let request = UMessageBuilder::request(uri(METHOD), me.clone(), 60_000)
                    .build_with_payload(
                        number.to_le_bytes().to_vec(),
                        UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED,
                    )
                    .unwrap();
                let id = request.id_unchecked();
                open.lock().unwrap().insert((id.msb, id.lsb, number.to_le_bytes().to_vec()));
                client.send(request).await.unwrap();
                while open.lock().unwrap().len() > 500 {
                    tokio::time::sleep(Duration::from_micros(100)).await;
                }
            }
        });
        use std::sync::atomic::Ordering::SeqCst;
        wait_until("all answers", || answered.load(SeqCst) == REQUESTS);
        assert_eq!((wrong.load(SeqCst), open.lock().unwrap().len()), (0, 0));
    });
}

#[test]
fn a_notification_reaches_its_addressee() {
    isolated("a_notification_reaches_its_addressee", || {
        let sender = transport("a", 0x1111, patient().first_send_subscribers(2));
        let receiver = transport("b", 0x1062, Options::default()); // the client id of "b"
        let other = transport("c", 0x1063, Options::default());
        let (mine, others, plain) = (Recorder::new(), Recorder::new(), Recorder::new());
        block_on(async {
            let topic = uri(TOPIC);
            let (me, them) = (uri("//me/1062/1/0"), uri("//me/1063/1/0"));
            receiver.register_listener(&topic, Some(&me), mine.clone()).await.unwrap();
            receiver.register_listener(&topic, None, plain.clone()).await.unwrap();
            other.register_listener(&topic, Some(&them), others.clone()).await.unwrap();
            let message = UMessageBuilder::notification(topic, me.clone())
                .build_with_payload("for you", UPayloadFormat::UPAYLOAD_FORMAT_TEXT)
                .unwrap();
            sender.send(message).await.unwrap();
            mine.wait(1);
            let notified = mine.messages.lock().unwrap()[0].clone();
            assert_eq!(notified.type_unchecked(), UMessageType::UMESSAGE_TYPE_NOTIFICATION);
            assert_eq!(
                (notified.source_unchecked(), notified.sink_unchecked()),
                (&uri(TOPIC), &me)
            );
            plain.wait(1);
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(others.count(), 0);
        });
    });
}

#[test]
fn what_is_refused() {
    isolated("what_is_refused", || {
        let server = transport("a", 0x2222, Options::default());
        let strict = transport("b", 0x3333, Options::default().check_source(true).max_requests(1));
        let (slow, recorder) = (Arc::new(Slow::default()), Recorder::new());
        block_on(async {
            serve(&server, slow).await;
            let me = uri("//me/3333/1/0");
            strict.register_listener(&UUri::any(), Some(&me), recorder.clone()).await.unwrap();
            let code = |result: Result<(), up_rust::UStatus>| result.map_err(|e| e.get_code());
            let foreign = text("//me/1111/1/8001", "x");
            let error = strict.send(foreign).await.unwrap_err();
            assert_eq!(error.get_code(), UCode::PERMISSION_DENIED);
            assert!(error.get_message().contains("check_source"), "{error}");
            let elsewhere = text("//truck/3333/1/8001", "x");
            assert_eq!(code(strict.send(elsewhere).await), Err(UCode::PERMISSION_DENIED));
            let own = text("//me/3333/1/8001", "x");
            assert_eq!(code(strict.send(own).await), Ok(()));
            assert_eq!(
                code(strict.send(up_rust::UMessage::default()).await),
                Err(UCode::INVALID_ARGUMENT)
            );
            // A method that nobody listens to is answered, and not left to a time-out.
            let unknown = UMessageBuilder::request(uri("//me/2222/1/9"), me.clone(), 60_000);
            strict.send({ unknown }.build().unwrap()).await.unwrap();
            recorder.wait(1);
            let answer = recorder.messages.lock().unwrap()[0].clone();
            assert_eq!(answer.commstatus_unchecked(), UCode::INVALID_ARGUMENT);
            assert_eq!(code(strict.send(request(60_000)).await), Ok(()));
            assert_eq!(code(strict.send(request(60_000)).await), Err(UCode::RESOURCE_EXHAUSTED));
        });
    });
}

#[test]
fn a_foreign_authority_goes_out_as_ours_which_is_said_once() {
    isolated("a_foreign_authority_goes_out_as_ours_which_is_said_once", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let publisher = transport("b", 0x1111, patient());
        let recorder = Recorder::new();
        block_on(async {
            subscriber.register_listener(&uri(TOPIC), None, recorder.clone()).await.unwrap();
            publisher.send(text(TOPIC, "own")).await.unwrap();
            assert_eq!(logged("no authority"), [""; 0]);
            // As a streamer sends it, for a uEntity that is elsewhere.
            for _ in 0..2 {
                publisher.send(text("//truck/1111/1/8001", "foreign")).await.unwrap();
            }
        });
        recorder.wait(3);
        let warnings = logged("no authority");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("//truck/1111/1/8001") && warnings[0].contains("\"me\""));
        assert!(warnings[0].contains("check_source(true)"), "{warnings:?}");
    });
}

#[test]
fn large_payloads_are_whole() {
    isolated("large_payloads_are_whole", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let publisher = transport("b", 0x1111, patient());
        let recorder = Recorder::new();
        block_on(async {
            subscriber.register_listener(&uri(TOPIC), None, recorder.clone()).await.unwrap();
            for size in [0, 1, 1_000, 100_000, 1_000_000] {
                let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
                let message = UMessageBuilder::publish(uri(TOPIC))
                    .build_with_payload(bytes, UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED)
                    .unwrap();
                publisher.send(message).await.unwrap();
            }
        });
        recorder.wait(5);
        let sizes: Vec<_> = recorder
            .messages
            .lock()
            .unwrap()
            .iter()
            .map(|message| {
                let payload = message.payload.clone().unwrap();
                assert!(
                    payload.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251)
                );
                payload.len()
            })
            .collect();
        assert_eq!(sizes, [0, 1, 1_000, 100_000, 1_000_000]);
    });
}

#[test]
fn a_listener_of_overlapping_filters_hears_an_event_once() {
    isolated("a_listener_of_overlapping_filters_hears_an_event_once", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let publisher = transport("b", 0x1111, patient());
        let [sinks, both, plain, alone] = [0; 4].map(|_| Recorder::new());
        block_on(async {
            let topic = uri(TOPIC);
            let register = async |source: &UUri, sink: Option<&str>, recorder: &Arc<Recorder>| {
                let sink = sink.map(uri);
                subscriber
                    .register_listener(source, sink.as_ref(), recorder.clone())
                    .await
                    .unwrap();
            };
            register(&topic, Some("//me/3333/1/0"), &sinks).await;
            register(&topic, Some("//*/3333/FF/0"), &sinks).await;
            register(&uri("//*/1111/FF/8001"), Some("//*/FFFFFFFF/FF/0"), &sinks).await;
            register(&topic, Some("//me/3333/1/FFFF"), &alone).await;
            register(&topic, None, &both).await;
            register(&topic, Some("//me/3333/1/0"), &both).await;
            register(&topic, None, &plain).await;
            for number in 0..3 {
                publisher.send(text(TOPIC, number)).await.unwrap();
            }
        });
        let recorders = [&sinks, &both, &plain, &alone];
        recorders.iter().for_each(|recorder| recorder.wait(3));
        std::thread::sleep(Duration::from_millis(50));
        let types = |recorder: &Recorder| {
            let messages = recorder.messages.lock().unwrap();
            messages.iter().map(|message| message.type_unchecked()).collect::<Vec<_>>()
        };
        let notification = UMessageType::UMESSAGE_TYPE_NOTIFICATION;
        assert_eq!(types(&sinks), [notification; 3]);
        assert_eq!(types(&alone), [notification; 3], "to whatever sink");
        assert_eq!(types(&both), [notification; 3], "who asks for both hears it as the former");
        assert_eq!(types(&plain), [UMessageType::UMESSAGE_TYPE_PUBLISH; 3]);
        for recorder in recorders {
            assert_eq!(recorder.texts(), ["0", "1", "2"]);
        }
    });
}

#[test]
fn a_request_is_refused_for_its_version_only_where_that_is_all() {
    isolated("a_request_is_refused_for_its_version_only_where_that_is_all", || {
        let server = transport("a", 0x2222, Options::default());
        let client = transport("b", 0x3333, Options::default());
        let (slow, recorder) = (Arc::new(Slow::default()), Recorder::new());
        block_on(async {
            let me = uri("//me/3333/1/0");
            client.register_listener(&UUri::any(), Some(&me), recorder.clone()).await.unwrap();
            serve(&server, slow.clone()).await;
            // One method serves a single client, which is another one.
            let other = uri("//far/9999/1/0");
            let method = uri("//me/2222/1/8");
            server.register_listener(&other, Some(&method), slow.clone()).await.unwrap();
            let rows = [
                ("//me/2222/2/7", UCode::FAILED_PRECONDITION, "another version"),
                ("//me/2222/1/8", UCode::INVALID_ARGUMENT, "another client's method"),
                ("//me/2222/2/8", UCode::INVALID_ARGUMENT, "that, and another version"),
                ("//me/2222/1/9", UCode::INVALID_ARGUMENT, "no method"),
                ("//me/2222/2/9", UCode::INVALID_ARGUMENT, "no method, and another version"),
            ];
            for (number, (method, code, why)) in rows.into_iter().enumerate() {
                let request = UMessageBuilder::request(uri(method), me.clone(), 60_000);
                client.send({ request }.build().unwrap()).await.unwrap();
                recorder.wait(number + 1);
                let answer = recorder.messages.lock().unwrap()[number].clone();
                assert_eq!(answer.commstatus_unchecked(), code, "{why}");
            }
            assert!(slow.0.lock().unwrap().is_empty());
        });
    });
}

#[test]
fn an_event_with_any_sink_is_subscribed_to() {
    isolated("an_event_with_any_sink_is_subscribed_to", || {
        let subscriber = transport("a", 0x3333, Options::default());
        let publisher = transport("b", 0x1111, patient());
        let recorder = Recorder::new();
        block_on(async {
            let sink = uri("//me/3333/1/FFFF");
            // Nobody else asks for the event.
            subscriber.register_listener(&uri(TOPIC), Some(&sink), recorder.clone()).await.unwrap();
            publisher.send(text(TOPIC, "x")).await.unwrap();
        });
        recorder.wait(1);
        let notified = recorder.messages.lock().unwrap()[0].clone();
        assert_eq!(notified.type_unchecked(), UMessageType::UMESSAGE_TYPE_NOTIFICATION);
        assert_eq!(notified.sink_unchecked(), &uri("//me/3333/1/0"));
    });
}
