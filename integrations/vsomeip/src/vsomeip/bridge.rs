// SPDX-License-Identifier: MIT OR Apache-2.0

//! The border to C++, by cxx. Everything in `cpp/` is declared here and nowhere else.

use super::handler::{
    handle_availability, handle_message, handle_state, handle_subscribed, handle_subscription,
    handle_subscription_status, handler_released,
};
use super::message::Held;

#[allow(unreachable_pub)] // what is public here is published, in part, by `vsomeip`
#[cxx::bridge(namespace = "ringback::vsomeip")]
pub(crate) mod ffi {
    /// The fields of a SOME/IP message's header, and what vsomeip knows beside them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct Header {
        /// Service id: upper half of the message id.
        pub service: u16,
        /// Instance id; not on the wire.
        pub instance: u16,
        /// Method or event id: lower half of the message id.
        pub method: u16,
        /// Client id: upper half of the request id.
        pub client: u16,
        /// Session id: lower half of the request id.
        pub session: u16,
        /// Interface version: the major version of the service.
        pub interface_version: u8,
        /// Message type, see [`MessageType`](crate::vsomeip::MessageType).
        pub message_type: u8,
        /// Return code, see [`ReturnCode`](crate::vsomeip::ReturnCode).
        pub return_code: u8,
        /// By TCP where the message leaves the machine; not on the wire.
        pub reliable: bool,
        /// The first value of a field after subscribing; not on the wire.
        pub initial: bool,
    }

    /// What a handler, an offer or a request is about. `method` is a method, an event, or its
    /// eventgroup, which has the same number.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Target {
        /// Service id.
        pub service: u16,
        /// Instance id.
        pub instance: u16,
        /// Method, event or eventgroup id.
        pub method: u16,
    }

    extern "Rust" {
        fn handle_state(context: usize, registered: bool);
        fn handle_message(context: usize, message: &SharedPtr<RawMessage>);
        fn handle_availability(context: usize, service: u16, instance: u16, available: bool);
        fn handle_subscription(context: usize, client: u16, subscribed: bool) -> bool;
        fn handle_subscribed(context: usize, client: u16, subscribed: bool);
        fn handle_subscription_status(context: usize, error: u16);
        fn handler_released(context: usize);

        type Held;
        fn bytes(&self) -> &[u8];
    }

    unsafe extern "C++" {
        include!("application.hpp");

        type RawMessage;
        type RawPayload;

        fn header_of(message: &SharedPtr<RawMessage>) -> Header;
        fn payload_of(message: &SharedPtr<RawMessage>) -> SharedPtr<RawPayload>;
        fn bytes_of(payload: &RawPayload) -> &[u8];
    }

    unsafe extern "C++" {
        type Application;

        unsafe fn create(
            get: usize,
            name: &CxxString,
            configuration: &CxxString,
        ) -> Result<UniquePtr<Application>>;
        fn init(&self) -> Result<bool>;
        fn start(&self) -> Result<()>;
        fn stop(&self) -> Result<()>;
        fn clear_all_handlers(&self);
        fn client(&self) -> u16;
        fn is_routing(&self) -> bool;

        fn offer_service(&self, of: Target, major: u8, minor: u32) -> Result<()>;
        fn stop_offer_service(&self, of: Target, major: u8, minor: u32) -> Result<()>;
        fn request_service(&self, of: Target, major: u8) -> Result<()>;
        fn release_service(&self, of: Target) -> Result<()>;
        fn is_available(&self, of: Target) -> bool;
        fn available_major(&self, of: Target) -> Result<i32>;

        fn offer_event(&self, of: Target) -> Result<()>;
        fn stop_offer_event(&self, of: Target) -> Result<()>;
        fn request_event(&self, of: Target) -> Result<()>;
        fn release_event(&self, of: Target) -> Result<()>;
        fn subscribe(&self, of: Target, major: u8) -> Result<()>;
        fn unsubscribe(&self, of: Target) -> Result<()>;

        fn notify(&self, of: Target, payload: Box<Held>) -> Result<()>;
        fn notify_one(&self, of: Target, client: u16, payload: Box<Held>) -> Result<()>;
        fn send(&self, header: &Header, payload: &[u8]) -> Result<u32>;

        unsafe fn on_state(&self, context: usize) -> Result<()>;
        fn unregister_on_state(&self) -> Result<()>;
        unsafe fn on_message(&self, of: Target, context: usize) -> Result<()>;
        unsafe fn on_message_pointer(
            &self,
            of: Target,
            function: usize,
            context: usize,
        ) -> Result<()>;
        fn unregister_on_message(&self, of: Target) -> Result<()>;
        unsafe fn on_availability(&self, of: Target, context: usize) -> Result<()>;
        fn unregister_on_availability(&self, of: Target) -> Result<()>;
        unsafe fn on_subscription(&self, of: Target, context: usize) -> Result<()>;
        fn unregister_on_subscription(&self, of: Target) -> Result<()>;
        unsafe fn on_subscription_status(&self, of: Target, context: usize) -> Result<()>;
        fn unregister_on_subscription_status(&self, of: Target) -> Result<()>;
    }
}

// SAFETY: vsomeip's applications may be used from any thread, and so may their destructors; the
// glue adds two shared pointers that never change.
unsafe impl Send for ffi::Application {}
// SAFETY: as above.
unsafe impl Sync for ffi::Application {}
// SAFETY: a received message is not changed any more, and freed wherever its last owner is.
unsafe impl Send for ffi::RawPayload {}
// SAFETY: as above; only `bytes_of` is called, which reads.
unsafe impl Sync for ffi::RawPayload {}

/// C++ reads and drops them on threads of its own.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Held>();
};
