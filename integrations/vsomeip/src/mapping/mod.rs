// SPDX-License-Identifier: MIT OR Apache-2.0

//! uProtocol to SOME/IP and back: pure functions, after `up-l1/someip.adoc` of up-spec
//! v1.6.0-alpha.7. Where that text contradicts itself, see `docs/adr-mapping.md`.

mod code;
mod incoming;
mod outgoing;
mod uri;

pub(crate) use self::{
    code::{return_code, ucode},
    incoming::{Identity, event, notification, request, response},
    outgoing::{Outgoing, outgoing},
    uri::{service_of, target_of, ue_id},
};

use crate::vsomeip::Header;

/// The 16 bytes of a SOME/IP header as they go over the wire, for a payload of this length.
pub fn wire(header: &Header, payload: usize) -> [u8; 16] {
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

#[cfg(test)]
mod table;
