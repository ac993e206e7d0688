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
    outgoing::{Outgoing, check_time_to_live, outgoing},
    uri::{DEFAULT_INSTANCE, service_of, target_of, ue_id},
};

#[cfg(test)]
mod table;
