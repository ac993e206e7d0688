// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a UMessage becomes on its way out.

use super::{return_code, target_of};
use crate::vsomeip::{Header, MessageType, ReturnCode, Target};
use up_rust::{UAttributes, UAttributesValidators, UCode, UMessageType, UStatus, UUID};

/// A message that is ready for vsomeip, but for what only caches and vsomeip know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outgoing {
    /// To all subscribers of an event; `to` names the one client that a Notification is for.
    Event { event: Target, major: u8, to: Option<u16> },
    /// vsomeip fills in client and session.
    Request(Header),
    /// The cache of received requests fills in the rest.
    Response { request: UUID, message_type: MessageType, return_code: ReturnCode },
}

fn invalid(text: impl Into<String>) -> UStatus {
    UStatus::fail_with_code(UCode::INVALID_ARGUMENT, text)
}

/// Validates the attributes and maps them.
///
/// # Errors
/// INVALID_ARGUMENT where they are not valid, or have no SOME/IP counterpart; DEADLINE_EXCEEDED for a
/// request whose time to live is over.
pub(crate) fn outgoing(attributes: &UAttributes, reliable: bool) -> Result<Outgoing, UStatus> {
    UAttributesValidators::get_validator_for_attributes(attributes)
        .validate(attributes)
        .map_err(|error| invalid(format!("not a valid message: {error}")))?;
    let source = attributes.source.as_ref().ok_or_else(|| invalid("a message needs a source"))?;
    let sink = || attributes.sink.as_ref().ok_or_else(|| invalid("this message needs a sink"));
    match attributes.type_.enum_value_or_default() {
        UMessageType::UMESSAGE_TYPE_PUBLISH => {
            let (event, major) = target_of(source)?;
            Ok(Outgoing::Event { event, major, to: None })
        }
        UMessageType::UMESSAGE_TYPE_NOTIFICATION => {
            let (event, major) = target_of(source)?;
            Ok(Outgoing::Event { event, major, to: Some(target_of(sink()?)?.0.service) })
        }
        UMessageType::UMESSAGE_TYPE_REQUEST => {
            check_time_to_live(attributes)?;
            let (Target { service, instance, method }, interface_version) = target_of(sink()?)?;
            Ok(Outgoing::Request(Header {
                service,
                instance,
                method,
                interface_version,
                message_type: MessageType::Request as u8,
                return_code: ReturnCode::Ok as u8,
                reliable,
                ..Header::default()
            }))
        }
        UMessageType::UMESSAGE_TYPE_RESPONSE => {
            let request = attributes.reqid.as_ref().ok_or_else(|| invalid("no request id"))?;
            let code = match attributes.commstatus {
                Some(code) => code.enum_value().unwrap_or(UCode::UNKNOWN),
                None => UCode::OK,
            };
            let message_type =
                if code == UCode::OK { MessageType::Response } else { MessageType::Error };
            Ok(Outgoing::Response {
                request: request.clone(),
                message_type,
                return_code: return_code(code),
            })
        }
        UMessageType::UMESSAGE_TYPE_UNSPECIFIED => Err(invalid("the message has no type")),
    }
}

/// A request that is to be sent still has time for its response.
pub(crate) fn check_time_to_live(request: &UAttributes) -> Result<(), UStatus> {
    if request.check_expired().is_ok() {
        return Ok(());
    }
    let text = "the request's time to live is over: it was not sent";
    Err(UStatus::fail_with_code(UCode::DEADLINE_EXCEEDED, text))
}
