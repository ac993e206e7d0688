// SPDX-License-Identifier: MIT OR Apache-2.0

//! The mapping on the wire: real vsomeip on one side, bytes on the other. One row per rule of
//! `up-l1/someip.adoc`, out and in. `src/mapping/table.rs` has the rules that no wire shows.

mod common;

use common::ecu::{Ecu, host, message};
use common::*;
use ringback_vsomeip::{Options, UPTransportVsomeip};
use std::sync::Arc;
use std::time::Duration;
use up_rust::{
    UCode, UListener, UMessage, UMessageBuilder, UMessageType, UPayloadFormat, UPriority,
    UTransport, UUID, UUri,
};

const NOTIFICATION: u8 = 0x02;
const REQUEST: u8 = 0x00;
const RESPONSE: u8 = 0x80;
const ERROR: u8 = 0x81;
/// UDP ports of the services that are offered here.
const PORTS: [(u16, u16, u16); 3] = [(0x1111, 1, 30_601), (0x1112, 5, 30_602), (0xFFFE, 1, 30_603)];
/// The client id of the transport's application, which is to be the `ue_id` of the uEntity.
const CLIENT: u16 = 0x1061;
const ME: &str = "//me/1061/1/0";
const RAW: UPayloadFormat = UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED;

fn on_the_wire(name: &str, options: Options, body: impl FnOnce(UPTransportVsomeip, Ecu)) {
    let services = |configuration| {
        PORTS.iter().fold(host(configuration), |configuration, (service, instance, port)| {
            configuration.service(*service, *instance, None, Some(*port))
        })
    };
    isolated_network(name, services, || {
        let transport = transport("a", CLIENT.into(), options.reliable(false));
        body(transport, Ecu::start());
    });
}

fn publish(topic: &str, payload: &'static str) -> UMessage {
    UMessageBuilder::publish(uri(topic)).build_with_payload(payload, RAW).unwrap()
}

fn notify(topic: &str, sink: &str, payload: &'static str) -> UMessage {
    UMessageBuilder::notification(uri(topic), uri(sink)).build_with_payload(payload, RAW).unwrap()
}

fn request(method: &str, ttl: u32) -> UMessage {
    UMessageBuilder::request(uri(method), uri(ME), ttl)
        .with_priority(UPriority::UPRIORITY_CS5)
        .build_with_payload("ask", RAW)
        .unwrap()
}

#[test]
fn events_on_their_way_out() {
    on_the_wire("events_on_their_way_out", Options::default(), |transport, ecu| {
        let (one, five, last) = ("//me/1111/2/8001", "//me/51112/0/8002", "//me/FFFE/FE/FFFE");
        for topic in [one, five, last].map(uri) {
            block_on(transport.declare_topic(&topic)).unwrap();
            let instance = ((topic.ue_id >> 16) as u16).max(1);
            let (major, event) = (topic.ue_version_major as u8, topic.resource_id as u16);
            ecu.subscribe(topic.ue_id as u16, instance, major, event);
        }
        let rows = [
            (
                "Publish is NOTIFICATION; service, event and version are the source's, the client is 0",
                publish(one, "p"),
                message([0x1111, 0x8001, 0, 1], [2, NOTIFICATION, 0], b"p"),
            ),
            (
                "the session id counts up, and an equal payload is sent all the same",
                publish(one, "p"),
                message([0x1111, 0x8001, 0, 2], [2, NOTIFICATION, 0], b"p"),
            ),
            (
                "the instance, above in ue_id, is not on the wire; version 0 is a version",
                publish(five, "q"),
                message([0x1112, 0x8002, 0, 3], [0, NOTIFICATION, 0], b"q"),
            ),
            (
                "the largest service, event and version; no payload is length 8",
                UMessageBuilder::publish(uri(last)).build().unwrap(),
                message([0xFFFE, 0xFFFE, 0, 4], [0xFE, NOTIFICATION, 0], b""),
            ),
            (
                "Notification is NOTIFICATION of the source's event; its sink is not on the wire",
                notify(one, "//far/4444/1/0", "n"),
                message([0x1111, 0x8001, 0, 5], [2, NOTIFICATION, 0], b"n"),
            ),
            (
                "priority, ttl and payload format are not on the wire",
                UMessageBuilder::publish(uri(one))
                    .with_priority(UPriority::UPRIORITY_CS3)
                    .with_ttl(60_000)
                    .build_with_payload("t", UPayloadFormat::UPAYLOAD_FORMAT_TEXT)
                    .unwrap(),
                message([0x1111, 0x8001, 0, 6], [2, NOTIFICATION, 0], b"t"),
            ),
        ];
        for (rule, message, expected) in rows {
            block_on(transport.send(message)).unwrap();
            assert_eq!(ecu.receive().0, expected, "{rule}");
        }
    });
}

#[test]
fn events_on_their_way_in() {
    on_the_wire("events_on_their_way_in", Options::default(), |transport, ecu| {
        ecu.offer(0x4444, 1, 3);
        ecu.offer(0x4445, 5, 1);
        let (one, five) = (uri("//far/4444/3/8002"), uri("//far/54445/1/8003"));
        let [publishes, notifications, others] =
            [Recorder::new(), Recorder::new(), Recorder::new()];
        block_on(async {
            transport.register_listener(&one, None, publishes.clone()).await.unwrap();
            let me = uri(ME);
            transport.register_listener(&one, Some(&me), notifications.clone()).await.unwrap();
            transport.register_listener(&five, None, others.clone()).await.unwrap();
        });
        let subscribed = ecu.subscription(0x4444, 0x8002);
        assert_eq!((subscribed.instance, subscribed.major), (1, 3), "{subscribed:?}");
        let port = subscribed.port.expect("an endpoint");
        let other = ecu.subscription(0x4445, 0x8003);
        assert_eq!((other.instance, other.major), (5, 1), "the eventgroup is the event");
        let other = other.port.expect("an endpoint");

        let event = |session, payload: &[u8]| {
            message([0x4444, 0x8002, 0, session], [3, NOTIFICATION, 0], payload)
        };
        // vsomeip takes events from when it has seen the acknowledgement.
        wait_until("the first event", || {
            ecu.send(port, &event(1, b"early"));
            std::thread::sleep(Duration::from_millis(10));
            publishes.count() > 0
        });
        ecu.send(port, &event(0x7777, b"in"));
        ecu.send(port, &event(2, b""));
        let is = |recorder: &Recorder, payload: &[u8]| {
            let messages = recorder.messages.lock().unwrap();
            let found = messages.iter().find(|one| one.payload.as_deref() == Some(payload));
            found.cloned()
        };
        for recorder in [&publishes, &notifications] {
            wait_until("both events", || {
                is(recorder, b"in").is_some() && is(recorder, b"").is_some()
            });
        }
        let heard = is(&publishes, b"in").unwrap();
        assert_eq!(heard.type_unchecked(), UMessageType::UMESSAGE_TYPE_PUBLISH);
        assert_eq!(heard.source_unchecked(), &one, "the authority is configured");
        assert_eq!(heard.sink(), None);
        assert_eq!(heard.priority_unchecked(), UPriority::UPRIORITY_CS1);
        assert_eq!((heard.ttl(), heard.payload_format_unchecked()), (None, RAW));
        assert!(heard.id_unchecked().is_uprotocol_uuid());
        let heard = is(&notifications, b"in").unwrap();
        assert_eq!(heard.type_unchecked(), UMessageType::UMESSAGE_TYPE_NOTIFICATION);
        assert_eq!((heard.source_unchecked(), heard.sink_unchecked()), (&one, &uri(ME)));

        wait_until("the other service's event", || {
            ecu.send(other, &message([0x4445, 0x8003, 0, 1], [1, NOTIFICATION, 0], b"five"));
            std::thread::sleep(Duration::from_millis(10));
            others.count() > 0
        });
        let heard = is(&others, b"five").unwrap();
        assert_eq!(heard.source_unchecked(), &five, "the instance is above in ue_id");
    });
}

#[test]
fn requests_on_their_way_out_and_what_answers_them() {
    let options = Options::default().availability_wait(Duration::from_secs(30));
    on_the_wire("requests_on_their_way_out_and_what_answers_them", options, |transport, ecu| {
        ecu.offer(0x4444, 1, 3);
        ecu.offer(0x4445, 5, 1);
        let (recorder, me) = (Recorder::new(), uri(ME));
        block_on(transport.register_listener(&UUri::any(), Some(&me), recorder.clone())).unwrap();
        let (one, five) = ("//far/4444/3/7", "//far/54445/1/7FFF");

        // What is sent for it, and what is heard when this answers it.
        let rows: [(&str, u8, u8, UCode); 14] = [
            (one, RESPONSE, 0x00, UCode::OK),
            (five, RESPONSE, 0x00, UCode::OK),
            (one, ERROR, 0x01, UCode::UNKNOWN),
            (one, ERROR, 0x02, UCode::NOT_FOUND),
            (one, ERROR, 0x03, UCode::INVALID_ARGUMENT),
            (one, ERROR, 0x04, UCode::UNAVAILABLE),
            (one, ERROR, 0x05, UCode::INTERNAL),
            (one, ERROR, 0x06, UCode::DEADLINE_EXCEEDED),
            (one, ERROR, 0x07, UCode::FAILED_PRECONDITION),
            (one, ERROR, 0x08, UCode::FAILED_PRECONDITION),
            (one, ERROR, 0x09, UCode::DATA_LOSS),
            (one, ERROR, 0x0A, UCode::INVALID_ARGUMENT),
            (one, ERROR, 0x20, UCode::UNKNOWN),
            (one, ERROR, 0x00, UCode::OK), // as up-transport-vsomeip 0.6 sends it
        ];
        let mut port = 0;
        for (number, (method, kind, code, status)) in rows.into_iter().enumerate() {
            let session = number as u16 + 1;
            let asked = request(method, 60_000);
            block_on(transport.send(asked.clone())).unwrap();
            let (datagram, from) = ecu.receive();
            let (service, id, version) =
                if method == one { (0x4444, 7, 3) } else { (0x4445, 0x7FFF, 1) };
            let rule = "REQUEST: service, method and version of the sink, the uEntity as client";
            let ids = [service, id, CLIENT, session];
            assert_eq!(datagram, message(ids, [version, REQUEST, 0], b"ask"), "{rule}");

            ecu.send(from, &message(ids, [version, kind, code], b"told"));
            recorder.wait(number + 1);
            let heard = recorder.messages.lock().unwrap()[number].clone();
            assert_eq!(heard.type_unchecked(), UMessageType::UMESSAGE_TYPE_RESPONSE);
            assert_eq!(heard.request_id_unchecked(), asked.id_unchecked());
            assert_eq!(heard.commstatus_unchecked(), status, "code {code:02x}");
            assert_eq!(heard.priority_unchecked(), UPriority::UPRIORITY_CS5, "the request's");
            assert_eq!((heard.source_unchecked(), heard.sink_unchecked()), (&uri(method), &me));
            assert_eq!(heard.payload.as_deref(), Some(&b"told"[..]));
            port = from;
        }

        let mut old = request(one, 1_000);
        let id = UUID { msb: 0x0000_0000_0001_7000, lsb: 0x8010_1010_1010_1a1a, ..UUID::default() };
        old.attributes.as_mut().unwrap().id = Some(id).into();
        let refused = block_on(transport.send(old)).unwrap_err();
        assert_eq!(refused.get_code(), UCode::DEADLINE_EXCEEDED);
        assert!(ecu.hears_nothing(), "a request whose time to live is over is not sent");

        block_on(transport.send(request(one, 300))).unwrap();
        let ids = [0x4444, 7, CLIENT, rows.len() as u16 + 1];
        assert_eq!(ecu.receive().0, message(ids, [3, REQUEST, 0], b"ask"));
        recorder.wait(rows.len() + 1);
        let heard = recorder.messages.lock().unwrap().last().cloned().unwrap();
        assert_eq!(heard.commstatus_unchecked(), UCode::DEADLINE_EXCEEDED, "an error at its end");
        ecu.send(port, &message(ids, [3, RESPONSE, 0], b"late"));
        wait_until("the late response", || transport.stats().late_responses == 1);
        assert_eq!(recorder.count(), rows.len() + 1, "a late response is ignored");
    });
}

/// Answers with the status that the request's first byte names; 99 is none, and 98 no answer.
struct Answers {
    transport: std::sync::Weak<UPTransportVsomeip>,
    heard: Arc<Recorder>,
}

#[async_trait::async_trait]
impl UListener for Answers {
    async fn on_receive(&self, request: UMessage) {
        self.heard.on_receive(request.clone()).await;
        let payload = request.payload.clone().unwrap_or_default();
        let mut response = UMessageBuilder::response_for_request(&request.attributes);
        match payload.first() {
            Some(98) => return,
            Some(99) | None => {}
            Some(code) => {
                use protobuf::Enum;
                response.with_comm_status(UCode::from_i32((*code).into()).unwrap());
            }
        }
        let response = response.build_with_payload(payload, RAW).unwrap();
        if let Some(transport) = self.transport.upgrade() {
            transport.send(response).await.unwrap();
        }
    }
}

#[test]
fn requests_on_their_way_in_and_how_they_are_answered() {
    let options = Options::default().request_ttl(Duration::from_secs(2));
    on_the_wire("requests_on_their_way_in_and_how_they_are_answered", options, |transport, ecu| {
        let transport = Arc::new(transport);
        let heard = Recorder::new();
        let answers = Arc::new(Answers { transport: Arc::downgrade(&transport), heard });
        let anybody = UUri::any_with_resource_id(0);
        let (one, five) = (uri("//me/1111/2/7"), uri("//me/51112/1/7FFF"));
        for method in [&one, &five] {
            block_on(transport.register_listener(&anybody, Some(method), answers.clone())).unwrap();
        }
        // Until the ports are open.
        for (service, method, version, port) in
            [(0x1111, 7, 2, 30_601), (0x1112, 0x7FFF, 1, 30_602)]
        {
            let before = answers.heard.count();
            wait_until("the service", || {
                ecu.send(port, &message([service, method, 0x4242, 1], [version, REQUEST, 0], &[0]));
                std::thread::sleep(Duration::from_millis(20));
                answers.heard.count() > before
            });
        }
        let first = answers.heard.messages.lock().unwrap()[0].clone();
        assert_eq!(first.type_unchecked(), UMessageType::UMESSAGE_TYPE_REQUEST);
        assert_eq!(first.source_unchecked(), &uri("//far/4242/1/0"), "the client is the ue_id");
        assert_eq!(first.sink_unchecked(), &one);
        assert_eq!(first.priority_unchecked(), UPriority::UPRIORITY_CS4);
        assert_eq!(first.ttl(), Some(2_000), "the transport's, since SOME/IP has none");
        assert_eq!(first.payload_format_unchecked(), RAW);
        let last = answers.heard.messages.lock().unwrap().last().cloned().unwrap();
        assert_eq!(last.sink_unchecked(), &five, "the instance is above in ue_id");
        wait_until("the last of their answers", || ecu.hears_nothing());

        // What the listener says, and what the answer is: its type and code.
        let rows: [(u8, u8, u8); 18] = [
            (0, RESPONSE, 0x00),  // OK
            (99, RESPONSE, 0x00), // no status is OK
            (1, ERROR, 0x01),     // CANCELLED
            (2, ERROR, 0x01),     // UNKNOWN
            (3, ERROR, 0x0A),     // INVALID_ARGUMENT
            (4, ERROR, 0x06),     // DEADLINE_EXCEEDED
            (5, ERROR, 0x02),     // NOT_FOUND
            (6, ERROR, 0x01),     // ALREADY_EXISTS
            (7, ERROR, 0x01),     // PERMISSION_DENIED
            (16, ERROR, 0x01),    // UNAUTHENTICATED
            (8, ERROR, 0x01),     // RESOURCE_EXHAUSTED
            (9, ERROR, 0x08),     // FAILED_PRECONDITION
            (10, ERROR, 0x01),    // ABORTED
            (11, ERROR, 0x01),    // OUT_OF_RANGE
            (12, ERROR, 0x01),    // UNIMPLEMENTED
            (13, ERROR, 0x05),    // INTERNAL
            (14, ERROR, 0x04),    // UNAVAILABLE
            (15, ERROR, 0x09),    // DATA_LOSS
        ];
        for (number, (says, kind, code)) in rows.into_iter().enumerate() {
            // Client and session are the request's, whatever they are.
            let ids = [0x1111, 7, 0x4242 + u16::from(says), 0xFFFF - number as u16];
            ecu.send(30_601, &message(ids, [2, REQUEST, 0], &[says, 1, 2]));
            let expected = message(ids, [2, kind, code], &[says, 1, 2]);
            assert_eq!(ecu.receive().0, expected, "status {says}");
        }
        let ids = [0x1112, 0x7FFF, 1, 2];
        ecu.send(30_602, &message(ids, [1, REQUEST, 0], &[0]));
        assert_eq!(ecu.receive().0, message(ids, [1, RESPONSE, 0], &[0]), "another instance");

        let ids = [0x1111, 7, 1, 3];
        ecu.send(30_601, &message(ids, [2, REQUEST, 0], &[98]));
        let timed_out = message(ids, [2, ERROR, 0x06], b"");
        assert_eq!(ecu.receive().0, timed_out, "no answer in time is E_TIMEOUT");
        // It holds the transport weakly, and nobody else does.
        block_on(transport.retire_listener(&anybody, Some(&one), answers.clone()).unwrap())
            .unwrap();
        block_on(transport.retire_listener(&anybody, Some(&five), answers).unwrap()).unwrap();
    });
}
