// SPDX-License-Identifier: MIT OR Apache-2.0

//! A received message, and payloads without a copy, both ways.

use super::bridge::ffi::{self, RawMessage, RawPayload};
use super::gate::report;
use bytes::Bytes;
use cxx::SharedPtr;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use super::bridge::ffi::{Header, Target};

/// Any service, instance or method: 0xFFFF.
pub const ANY: u16 = 0xFFFF;
/// Any major version: 0xFF.
pub const ANY_MAJOR: u8 = 0xFF;

/// SOME/IP message types that this crate sends or understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MessageType {
    /// A request that wants a response.
    Request = 0x00,
    /// A request that wants none.
    RequestNoReturn = 0x01,
    /// An event.
    Notification = 0x02,
    /// A response.
    Response = 0x80,
    /// A response that carries an error.
    Error = 0x81,
}

impl MessageType {
    /// The type of this number, if it is one of these.
    pub fn from_wire(number: u8) -> Option<Self> {
        Some(match number {
            0x00 => MessageType::Request,
            0x01 => MessageType::RequestNoReturn,
            0x02 => MessageType::Notification,
            0x80 => MessageType::Response,
            0x81 => MessageType::Error,
            _ => return None,
        })
    }
}

/// SOME/IP return codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the names are the specification's
pub enum ReturnCode {
    Ok = 0x00,
    NotOk = 0x01,
    UnknownService = 0x02,
    UnknownMethod = 0x03,
    NotReady = 0x04,
    NotReachable = 0x05,
    Timeout = 0x06,
    WrongProtocolVersion = 0x07,
    WrongInterfaceVersion = 0x08,
    MalformedMessage = 0x09,
    WrongMessageType = 0x0A,
}

/// A received message, borrowed for the time of the call.
pub struct Message<'a>(&'a SharedPtr<RawMessage>);

impl<'a> Message<'a> {
    pub(crate) fn new(message: &'a SharedPtr<RawMessage>) -> Self {
        Message(message)
    }

    /// The message behind the argument of a bare handler pointer.
    ///
    /// # Safety
    /// `message` is what vsomeip passes to a message handler: a `const std::shared_ptr<message> &`
    /// that holds a message, valid for `'a`.
    pub unsafe fn from_raw(message: *const std::ffi::c_void) -> Self {
        // SAFETY: the caller's promise; cxx's `SharedPtr` has the layout of `std::shared_ptr`.
        Message(unsafe { &*message.cast::<SharedPtr<RawMessage>>() })
    }

    /// Its header, by one call into C++.
    pub fn header(&self) -> Header {
        ffi::header_of(self.0)
    }

    /// Its payload. The bytes stay vsomeip's; they are freed with the last clone of this.
    pub fn payload(&self) -> Bytes {
        let payload = ffi::payload_of(self.0);
        match payload.as_ref().map(|payload| ffi::bytes_of(payload).is_empty()) {
            None | Some(true) => Bytes::new(),
            Some(false) => Bytes::from_owner(Payload(payload)),
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header().fmt(f)
    }
}

/// Not null.
struct Payload(SharedPtr<RawPayload>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |payload| ffi::bytes_of(payload))
    }
}

/// A payload on its way out: what C++ reads of it lives as long as C++ holds this.
pub(crate) struct Held(Bytes);

impl Held {
    pub(crate) fn new(payload: impl Into<Bytes>) -> Box<Self> {
        Box::new(Held(payload.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// In C++, on any thread: no panic of the bytes' owner may pass.
impl Drop for Held {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(bytes))) {
            report("dropping a payload", panic);
        }
    }
}
