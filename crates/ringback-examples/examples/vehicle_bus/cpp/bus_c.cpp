// SPDX-License-Identifier: MIT OR Apache-2.0

#include "bus.hpp"

#include <chrono>
#include <system_error>

static_assert(sizeof(bus_key) == 6 && sizeof(bus_message) == 24 && sizeof(bus_counts) == 32,
              "bus.rs repeats these layouts");

struct bus_application final : bus::application {
    using bus::application::application;
};

bus_application *bus_create(std::size_t dispatchers) noexcept try {
    return new bus_application(dispatchers);
} catch (const std::system_error &) {
    return nullptr;
}

void bus_destroy(bus_application *bus) noexcept { delete bus; }

void bus_register(bus_application *bus, bus_key key, bus_handler handler) noexcept {
    bus->register_message_handler(
        key.service, key.instance, key.method,
        [handler](const std::shared_ptr<bus::message> &message) { handler(message.get()); });
}

void bus_unregister(bus_application *bus, bus_key key) noexcept {
    bus->unregister_message_handler(key.service, key.instance, key.method);
}

void bus_send(bus_application *bus, bus_key key) noexcept {
    bus->send(std::make_shared<bus::message>(bus::message{key, 0, bus_now()}));
}

void bus_drain(bus_application *bus) noexcept { bus->drain(); }

void bus_hold(bus_application *bus) noexcept { bus->hold(); }

void bus_release(bus_application *bus) noexcept { bus->release(); }

std::uint64_t bus_now() noexcept {
    const std::chrono::nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(now.count());
}

bus_counts bus_count(bus_application *bus) noexcept { return bus->counts(); }
