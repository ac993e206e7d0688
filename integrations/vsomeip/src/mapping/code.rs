// SPDX-License-Identifier: MIT OR Apache-2.0

//! UCode against SOME/IP return codes.

use crate::vsomeip::ReturnCode;
use up_rust::UCode;

/// The return code for a status; the table names none for most, which become E_NOT_OK.
pub(crate) fn return_code(code: UCode) -> ReturnCode {
    match code {
        UCode::OK => ReturnCode::Ok,
        UCode::INVALID_ARGUMENT => ReturnCode::WrongMessageType,
        UCode::DEADLINE_EXCEEDED => ReturnCode::Timeout,
        UCode::NOT_FOUND => ReturnCode::UnknownService,
        UCode::UNAVAILABLE => ReturnCode::NotReady,
        UCode::DATA_LOSS => ReturnCode::MalformedMessage,
        UCode::INTERNAL => ReturnCode::NotReachable,
        UCode::FAILED_PRECONDITION => ReturnCode::WrongInterfaceVersion,
        UCode::CANCELLED
        | UCode::UNKNOWN
        | UCode::ALREADY_EXISTS
        | UCode::PERMISSION_DENIED
        | UCode::UNAUTHENTICATED
        | UCode::RESOURCE_EXHAUSTED
        | UCode::ABORTED
        | UCode::OUT_OF_RANGE
        | UCode::UNIMPLEMENTED => ReturnCode::NotOk,
    }
}

/// The status for a return code as it came; codes that a service defines for itself are UNKNOWN.
pub(crate) fn ucode(code: u8) -> UCode {
    match code {
        0x00 => UCode::OK,
        0x02 => UCode::NOT_FOUND,
        0x03 | 0x0A => UCode::INVALID_ARGUMENT,
        0x04 => UCode::UNAVAILABLE,
        0x05 => UCode::INTERNAL,
        0x06 => UCode::DEADLINE_EXCEEDED,
        0x07 | 0x08 => UCode::FAILED_PRECONDITION,
        0x09 => UCode::DATA_LOSS,
        _ => UCode::UNKNOWN,
    }
}
