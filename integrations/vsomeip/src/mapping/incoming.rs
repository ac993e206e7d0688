// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a SOME/IP message becomes on its way in.

use super::ue_id;
use crate::vsomeip::Header;
use bytes::Bytes;
use protobuf::{EnumOrUnknown, MessageField};
use up_rust::{UAttributes, UCode, UMessage, UMessageType, UPriority, UUID, UUri};

/// Who this transport is, and what stands for everybody else: SOME/IP carries no authorities.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The uEntity's own address, resource 0.
    pub(crate) local: UUri,
    /// The authority of messages from the network.
    pub(crate) remote_authority: String,
}

/// The version of a sender, which a SOME/IP request does not name.
const UNKNOWN_VERSION: u32 = 1;

impl Identity {
    fn uri(&self, authority: &str, header: &Header, resource: u16) -> UUri {
        UUri {
            authority_name: authority.to_owned(),
            ue_id: ue_id(header.service, header.instance),
            // FF is what a peer sends that offers its service as "any version"; no address has it.
            ue_version_major: match header.interface_version {
                0xFF => UNKNOWN_VERSION,
                version => u32::from(version),
            },
            resource_id: u32::from(resource),
            ..UUri::default()
        }
    }
}

fn message(
    message_type: UMessageType,
    priority: UPriority,
    source: UUri,
    sink: Option<UUri>,
    payload: Bytes,
) -> UMessage {
    UMessage {
        attributes: MessageField::some(UAttributes {
            id: MessageField::some(UUID::build()),
            type_: EnumOrUnknown::new(message_type),
            priority: EnumOrUnknown::new(priority),
            source: MessageField::some(source),
            sink: sink.into(),
            ..UAttributes::default()
        }),
        payload: Some(payload),
        ..UMessage::default()
    }
}

/// A NOTIFICATION, as a Publish message.
pub(crate) fn event(who: &Identity, header: &Header, payload: Bytes) -> UMessage {
    let source = who.uri(&who.remote_authority, header, header.method);
    message(UMessageType::UMESSAGE_TYPE_PUBLISH, UPriority::UPRIORITY_CS1, source, None, payload)
}

/// The same NOTIFICATION for a listener that has a sink filter: as a Notification to this uEntity.
pub(crate) fn notification(who: &Identity, published: &UMessage) -> UMessage {
    let mut message = published.clone();
    if let Some(attributes) = message.attributes.as_mut() {
        attributes.type_ = EnumOrUnknown::new(UMessageType::UMESSAGE_TYPE_NOTIFICATION);
        attributes.sink = MessageField::some(who.local.clone());
    }
    message
}

/// A REQUEST. Its time to live, in milliseconds, is the transport's: SOME/IP has none.
pub(crate) fn request(who: &Identity, header: &Header, ttl: u32, payload: Bytes) -> UMessage {
    let sink = who.uri(&who.local.authority_name, header, header.method);
    let source = UUri {
        authority_name: who.remote_authority.clone(),
        ue_id: u32::from(header.client),
        ue_version_major: UNKNOWN_VERSION,
        ..UUri::default()
    };
    let mut message = message(
        UMessageType::UMESSAGE_TYPE_REQUEST,
        UPriority::UPRIORITY_CS4,
        source,
        Some(sink),
        payload,
    );
    if let Some(attributes) = message.attributes.as_mut() {
        attributes.ttl = Some(ttl);
    }
    message
}

/// A RESPONSE or ERROR to the request with these attributes; its status is `code`.
pub(crate) fn response(request: UAttributes, code: UCode, payload: Option<Bytes>) -> UMessage {
    UMessage {
        attributes: MessageField::some(UAttributes {
            id: MessageField::some(UUID::build()),
            reqid: request.id,
            type_: EnumOrUnknown::new(UMessageType::UMESSAGE_TYPE_RESPONSE),
            priority: request.priority,
            source: request.sink,
            sink: request.source,
            commstatus: Some(EnumOrUnknown::new(code)),
            ..UAttributes::default()
        }),
        payload,
        ..UMessage::default()
    }
}
