// SPDX-License-Identifier: MIT OR Apache-2.0

//! UUri against service, instance, version and method.

use crate::vsomeip::Target;
use up_rust::{UCode, UStatus, UUri};

/// The instance that an upper half of 0 stands for.
pub(crate) const DEFAULT_INSTANCE: u16 = 1;

/// Service and instance: the lower and the upper half of `ue_id`, where 0 above means instance 1.
pub(crate) fn service_of(ue_id: u32) -> (u16, u16) {
    let instance = match (ue_id >> 16) as u16 {
        0 => DEFAULT_INSTANCE,
        instance => instance,
    };
    (ue_id as u16, instance)
}

/// The other way; instance 1 is left out, as the specification wishes.
pub(crate) fn ue_id(service: u16, instance: u16) -> u32 {
    let instance = if instance == DEFAULT_INSTANCE { 0 } else { u32::from(instance) };
    instance << 16 | u32::from(service)
}

/// The service, instance and method or event that a concrete UUri names, and its major version.
pub(crate) fn target_of(uri: &UUri) -> Result<(Target, u8), UStatus> {
    let invalid = |what: &str| {
        let text = format!("{} cannot be a SOME/IP address: {what}", uri.to_uri(true));
        Err(UStatus::fail_with_code(UCode::INVALID_ARGUMENT, text))
    };
    let (service, instance) = service_of(uri.ue_id);
    if service == 0 || service == 0xFFFF {
        return invalid("the lower half of ue_id must be a service id from 0001 to FFFE");
    }
    if instance == 0xFFFF {
        return invalid("the upper half of ue_id must be an instance id, no wildcard");
    }
    let Ok(major) = u8::try_from(uri.ue_version_major) else {
        return invalid("the major version must fit 8 bits");
    };
    match u16::try_from(uri.resource_id) {
        Ok(method) if method != 0xFFFF => Ok((Target { service, instance, method }, major)),
        _ => invalid("the resource id must be from 0 to FFFE"),
    }
}
