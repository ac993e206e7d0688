// SPDX-License-Identifier: MIT OR Apache-2.0

//! One row per rule of the specification's mapping, both ways, on the header that vsomeip gets.
//! `tests/wire.rs` has the rules that show on the wire, there on the bytes that vsomeip makes of it.

use super::*;
use crate::requests::{Found, Received, Sent};
use crate::vsomeip::{Header, MessageType, Target};
use bytes::Bytes;
use std::time::{Duration, Instant};
use up_rust::{UAttributes, UCode, UMessage, UMessageBuilder, UMessageType, UPriority, UUID, UUri};

fn uri(text: &str) -> UUri {
    text.parse().unwrap()
}

fn who() -> Identity {
    Identity { local: uri("//me/3333/1/0"), remote_authority: "far".into() }
}

fn publish(topic: &str) -> UMessage {
    UMessageBuilder::publish(uri(topic)).build().unwrap()
}

fn request(method: &str, from: &str) -> UMessage {
    UMessageBuilder::request(uri(method), uri(from), 1000).build().unwrap()
}

/// The 16 bytes of a SOME/IP header as they go over the wire, for a payload of this length.
fn wire(header: &Header, payload: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0..2].copy_from_slice(&header.service.to_be_bytes());
    bytes[2..4].copy_from_slice(&header.method.to_be_bytes());
    // Counted from after the length field: the rest of the header is 8 bytes.
    bytes[4..8].copy_from_slice(&(payload as u32 + 8).to_be_bytes());
    bytes[8..10].copy_from_slice(&header.client.to_be_bytes());
    bytes[10..12].copy_from_slice(&header.session.to_be_bytes());
    bytes[12] = 1; // protocol version
    bytes[13] = header.interface_version;
    bytes[14] = header.message_type;
    bytes[15] = header.return_code;
    bytes
}

/// What goes over the wire: the event that vsomeip makes of a `notify`, or the header of `send`. The
/// service's major version is the event's interface version; client and session are vsomeip's.
fn sent(message: &UMessage, client: u16, session: u16) -> [u8; 16] {
    match outgoing(&message.attributes, true).unwrap() {
        Outgoing::Event { event: Target { service, instance, method }, major, .. } => {
            let header = Header {
                service,
                instance,
                method,
                client: 0, // an event has none
                session,
                interface_version: major,
                message_type: MessageType::Notification as u8,
                ..Header::default()
            };
            wire(&header, 0)
        }
        Outgoing::Request(header) => wire(&Header { client, session, ..header }, 0),
        Outgoing::Response { .. } => unreachable!("needs its request"),
    }
}

/// The response on the wire, to a request that came as `header`.
fn answered(header: Header, code: Option<UCode>) -> [u8; 16] {
    let mut received = Received::new(10);
    let request = super::request(&who(), &header, 1000, Bytes::new());
    let id = request.id_unchecked().clone();
    assert!(received.insert(&id, header, Instant::now() + Duration::from_secs(1)));
    let mut builder = UMessageBuilder::response_for_request(&request.attributes);
    if let Some(code) = code {
        builder.with_comm_status(code);
    }
    let response = builder.build().unwrap();
    match outgoing(&response.attributes, true).unwrap() {
        Outgoing::Response { request, message_type, return_code } => {
            let cached = received.take(&request).unwrap();
            assert!(received.take(&request).is_err(), "the entry is flushed");
            let header = Header {
                message_type: message_type as u8,
                return_code: return_code as u8,
                ..cached
            };
            wire(&header, 0)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
#[rustfmt::skip]
fn out() {
    // service      method      length       client      session     pv  iv  type  code
    let rows: [(&str, [u8; 16], [u8; 16]); 9] = [
        ("Publish is NOTIFICATION: service, event and version from the source, client 0",
         sent(&publish("//me/1111/2/8001"), 0x77, 5),
         [0x11, 0x11, 0x80, 0x01, 0, 0, 0, 8, 0, 0, 0, 5, 1, 2, 0x02, 0]),
        ("the upper half of ue_id, the instance, is not on the wire",
         sent(&publish("//me/51111/2/8001"), 0x77, 5),
         [0x11, 0x11, 0x80, 0x01, 0, 0, 0, 8, 0, 0, 0, 5, 1, 2, 0x02, 0]),
        ("Notification goes the same way",
         sent(&UMessageBuilder::notification(uri("//me/1111/2/8001"), uri("//far/4444/1/0")).build().unwrap(), 0, 5),
         [0x11, 0x11, 0x80, 0x01, 0, 0, 0, 8, 0, 0, 0, 5, 1, 2, 0x02, 0]),
        ("Request is REQUEST: service, method and version from the sink, code E_OK",
         sent(&request("//far/2222/3/7", "//me/3333/1/0"), 0x3333, 0xFFFF),
         [0x22, 0x22, 0x00, 0x07, 0, 0, 0, 8, 0x33, 0x33, 0xFF, 0xFF, 1, 3, 0x00, 0]),
        ("Response with OK is RESPONSE with the request's ids",
         answered(Header { service: 0x2222, method: 7, client: 9, session: 6, interface_version: 3, ..Header::default() }, Some(UCode::OK)),
         [0x22, 0x22, 0x00, 0x07, 0, 0, 0, 8, 0, 9, 0, 6, 1, 3, 0x80, 0]),
        ("no status is OK",
         answered(Header { service: 0x2222, method: 7, client: 9, session: 6, interface_version: 3, ..Header::default() }, None),
         [0x22, 0x22, 0x00, 0x07, 0, 0, 0, 8, 0, 9, 0, 6, 1, 3, 0x80, 0]),
        ("Response with another status is ERROR with its code",
         answered(Header { service: 0x2222, method: 7, client: 9, session: 6, interface_version: 3, ..Header::default() }, Some(UCode::DEADLINE_EXCEEDED)),
         [0x22, 0x22, 0x00, 0x07, 0, 0, 0, 8, 0, 9, 0, 6, 1, 3, 0x81, 6]),
        ("the version is the service's, also where it is 0",
         sent(&publish("//me/1111/0/8001"), 0, 1),
         [0x11, 0x11, 0x80, 0x01, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0, 0x02, 0]),
        ("the largest event",
         sent(&publish("//me/FFFE/FE/FFFE"), 0, 1),
         [0xFF, 0xFE, 0xFF, 0xFE, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0xFE, 0x02, 0]),
    ];
    for (rule, bytes, expected) in rows {
        assert_eq!(bytes, expected, "{rule}");
    }
}

#[test]
fn instances() {
    for (ue_id, service, instance) in [
        (0x0000_1111, 0x1111, 1), // 0 means 1
        (0x0001_1111, 0x1111, 1),
        (0x0005_1111, 0x1111, 5),
    ] {
        assert_eq!(service_of(ue_id), (service, instance));
    }
    assert_eq!(ue_id(0x1111, 1), 0x1111, "instance 1 is left out");
    assert_eq!(ue_id(0x1111, 5), 0x0005_1111);
}

#[test]
fn codes() {
    use UCode::*;
    // Status, the code it is sent as, and the status that this code is received as.
    let rows = [
        (OK, 0x00, OK),
        (UNKNOWN, 0x01, UNKNOWN),
        (NOT_FOUND, 0x02, NOT_FOUND),
        (UNAVAILABLE, 0x04, UNAVAILABLE),
        (INTERNAL, 0x05, INTERNAL),
        (DEADLINE_EXCEEDED, 0x06, DEADLINE_EXCEEDED),
        (FAILED_PRECONDITION, 0x08, FAILED_PRECONDITION),
        (DATA_LOSS, 0x09, DATA_LOSS),
        (INVALID_ARGUMENT, 0x0A, INVALID_ARGUMENT),
        (CANCELLED, 0x01, UNKNOWN),
        (ALREADY_EXISTS, 0x01, UNKNOWN),
        (PERMISSION_DENIED, 0x01, UNKNOWN),
        (UNAUTHENTICATED, 0x01, UNKNOWN),
        (RESOURCE_EXHAUSTED, 0x01, UNKNOWN),
        (ABORTED, 0x01, UNKNOWN),
        (OUT_OF_RANGE, 0x01, UNKNOWN),
        (UNIMPLEMENTED, 0x01, UNKNOWN),
    ];
    for (status, code, back) in rows {
        assert_eq!(return_code(status) as u8, code, "{status:?}");
        assert_eq!(ucode(code), back, "{status:?}");
    }
    assert_eq!(ucode(0x03), INVALID_ARGUMENT, "E_UNKNOWN_METHOD");
    assert_eq!(ucode(0x07), FAILED_PRECONDITION, "E_WRONG_PROTOCOL_VERSION");
    assert_eq!(ucode(0x20), UNKNOWN, "a code of the service's own");
}

#[test]
fn events_in() {
    let header = Header {
        service: 0x1111,
        instance: 5,
        method: 0x8001,
        interface_version: 2,
        message_type: 2,
        ..Header::default()
    };
    let message = event(&who(), &header, Bytes::from_static(b"x"));
    assert_eq!(message.type_unchecked(), UMessageType::UMESSAGE_TYPE_PUBLISH);
    assert_eq!(message.source_unchecked(), &uri("//far/51111/2/8001"));
    assert_eq!(message.sink(), None);
    assert_eq!(message.priority_unchecked(), UPriority::UPRIORITY_CS1);
    assert_eq!(message.ttl(), None);
    assert!(message.id_unchecked().is_uprotocol_uuid());
    assert_eq!(message.payload.as_deref(), Some(&b"x"[..]));
    valid(&message);

    let notified = notification(&who(), &message);
    assert_eq!(notified.type_unchecked(), UMessageType::UMESSAGE_TYPE_NOTIFICATION);
    assert_eq!(notified.sink_unchecked(), &uri("//me/3333/1/0"));
    valid(&notified);

    let any_version = Header { interface_version: 0xFF, ..header };
    let message = event(&who(), &any_version, Bytes::new());
    assert_eq!(message.source_unchecked().ue_version_major, 1, "FF is no version");
    valid(&message);
}

#[test]
fn requests_in() {
    let header = Header {
        service: 0x3333,
        instance: 1,
        method: 7,
        client: 0x4444,
        session: 9,
        interface_version: 2,
        ..Header::default()
    };
    let message = request_in(&header);
    assert_eq!(message.type_unchecked(), UMessageType::UMESSAGE_TYPE_REQUEST);
    assert_eq!(message.sink_unchecked(), &uri("//me/3333/2/7"), "who it is for");
    assert_eq!(message.source_unchecked(), &uri("//far/4444/1/0"), "the client id is the ue_id");
    assert_eq!(message.priority_unchecked(), UPriority::UPRIORITY_CS4);
    assert_eq!(message.ttl(), Some(1000), "SOME/IP has none: the transport's");
    valid(&message);
}

fn request_in(header: &Header) -> UMessage {
    super::request(&who(), header, 1000, Bytes::new())
}

#[test]
fn responses_in() {
    let mut request = request("//far/2222/3/7", "//me/3333/1/0");
    let attributes = request.attributes.as_mut().unwrap();
    attributes.priority = UPriority::UPRIORITY_CS6.into();
    let mut cache = Sent::new(10);
    let begun = cache.begin().unwrap();
    let until = Instant::now() + Duration::from_secs(1);
    cache.sent(begun, 0x3333_0009, attributes.clone(), until);
    let Found::Answer(cached, (code, payload)) =
        cache.response(0x3333_0009, (ucode(0x02), Some(Bytes::from_static(b"y"))))
    else {
        panic!("not found");
    };
    let message = response(*cached, code, payload);
    assert_eq!(message.type_unchecked(), UMessageType::UMESSAGE_TYPE_RESPONSE);
    assert_eq!(message.request_id_unchecked(), request.id_unchecked());
    assert_eq!(message.priority_unchecked(), UPriority::UPRIORITY_CS6, "the request's");
    assert_eq!(message.commstatus_unchecked(), UCode::NOT_FOUND);
    assert_eq!(message.source_unchecked(), &uri("//far/2222/3/7"));
    assert_eq!(message.sink_unchecked(), &uri("//me/3333/1/0"));
    valid(&message);
}

/// Every message that we make is one that up-rust takes.
fn valid(message: &UMessage) {
    up_rust::UAttributesValidators::get_validator_for_attributes(&message.attributes)
        .validate(&message.attributes)
        .unwrap();
}

#[test]
fn what_cannot_be_sent() {
    let code = |attributes: &UAttributes| outgoing(attributes, true).unwrap_err().get_code();
    let mut message = publish("//me/1111/1/8001");
    message.attributes.as_mut().unwrap().source = Some(uri("//me/1111/1/7")).into();
    assert_eq!(code(&message.attributes), UCode::INVALID_ARGUMENT, "no event");
    assert_eq!(code(&UAttributes::default()), UCode::INVALID_ARGUMENT, "nothing");
    for topic in ["//me/0/1/8001", "//me/10000/1/8001"] {
        let message = publish(topic);
        assert_eq!(code(&message.attributes), UCode::INVALID_ARGUMENT, "{topic}: service 0");
    }
    let mut old = request("//far/2222/3/7", "//me/3333/1/0");
    let id = UUID { msb: 0x0000_0000_0001_7000, lsb: 0x8010_1010_1010_1a1a, ..UUID::default() };
    old.attributes.as_mut().unwrap().id = Some(id).into();
    assert_eq!(code(&old.attributes), UCode::DEADLINE_EXCEEDED, "its time is over");
}
