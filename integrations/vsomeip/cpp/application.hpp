// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <rust/cxx.h>

// vsomeip's own headers are for application.cpp only: what the bridge generates needs no more than names.
namespace vsomeip_v3 {
class application;
class message;
class payload;
class runtime;
} // namespace vsomeip_v3

namespace ringback::vsomeip {

using RawMessage = vsomeip_v3::message;
using RawPayload = vsomeip_v3::payload;

/// Defined by the bridge.
struct Header;
struct Target;
struct Held;

/// One vsomeip application. Every function may be called from any thread, but `start`, which blocks
/// until `stop`.
class Application {
public:
    Application(std::shared_ptr<vsomeip_v3::runtime> runtime,
                std::shared_ptr<vsomeip_v3::application> application)
        : runtime_(std::move(runtime)), application_(std::move(application)) {}

    bool init() const;
    void start() const;
    void stop() const;
    void clear_all_handlers() const;
    std::uint16_t client() const;
    bool is_routing() const;

    void offer_service(Target of, std::uint8_t major, std::uint32_t minor) const;
    void stop_offer_service(Target of, std::uint8_t major, std::uint32_t minor) const;
    void request_service(Target of, std::uint8_t major) const;
    void release_service(Target of) const;
    bool is_available(Target of) const;
    std::int32_t available_major(Target of) const;

    void offer_event(Target of) const;
    void stop_offer_event(Target of) const;
    void request_event(Target of) const;
    void release_event(Target of) const;
    void subscribe(Target of, std::uint8_t major) const;
    void unsubscribe(Target of) const;

    void notify(Target of, rust::Box<Held> payload) const;
    void notify_one(Target of, std::uint16_t client, rust::Box<Held> payload) const;
    std::uint32_t send(const Header& header, rust::Slice<const std::uint8_t> payload) const;

    void on_state(std::size_t context) const;
    void unregister_on_state() const;
    void on_message(Target of, std::size_t context) const;
    void on_message_pointer(Target of, std::size_t function, std::size_t context) const;
    void unregister_on_message(Target of) const;
    void on_availability(Target of, std::size_t context) const;
    void unregister_on_availability(Target of) const;
    void on_subscription(Target of, std::size_t context) const;
    void unregister_on_subscription(Target of) const;
    void on_subscription_status(Target of, std::size_t context) const;
    void unregister_on_subscription_status(Target of) const;

private:
    std::shared_ptr<vsomeip_v3::runtime> runtime_;
    std::shared_ptr<vsomeip_v3::application> application_;
};

/// `get` is the address of `vsomeip_v3::runtime::get`, found by dlsym. Null where the name is taken.
std::unique_ptr<Application> create(std::size_t get, const std::string& name,
                                    const std::string& configuration);

Header header_of(const std::shared_ptr<RawMessage>& message);
std::shared_ptr<RawPayload> payload_of(const std::shared_ptr<RawMessage>& message);
rust::Slice<const std::uint8_t> bytes_of(const RawPayload& payload);

} // namespace ringback::vsomeip
