// SPDX-License-Identifier: MIT OR Apache-2.0

// A message bus inside one process, with the manners of vsomeip: one handler per key, handlers
// copied into the queue along with the messages, several dispatcher threads, and an unregister that
// does not wait for the copies.
#pragma once

#include "bus.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace bus {

using service_t = std::uint16_t;
using instance_t = std::uint16_t;
using method_t = std::uint16_t;
using message = bus_message;
using message_handler = std::function<void(const std::shared_ptr<message> &)>;

// Any thread may call any function; `drain` and the destructor wait for handlers and so must not be
// called inside one.
class application {
public:
    // Starts `dispatchers` threads, at least one. Throws std::system_error if one does not start.
    explicit application(std::size_t dispatchers);
    // Drops what is still queued; waits for handlers that are running.
    ~application();

    application(const application &) = delete;
    application &operator=(const application &) = delete;

    // One handler per key: a later one replaces it for the messages sent from then on.
    void register_message_handler(service_t service, instance_t instance, method_t method,
                                  message_handler handler);
    // Does not wait: queued copies of the handler still run.
    void unregister_message_handler(service_t service, instance_t instance, method_t method);

    // Queues the message with a copy of its handler; without a handler it is counted and dropped.
    // The bus numbers the message.
    void send(std::shared_ptr<message> what);

    // Waits until all that was queued before has been dispatched and its handlers destroyed.
    void drain();
    // Keeps messages queued until `release`.
    void hold();
    void release();

    bus_counts counts();

private:
    // A message on its way, with the handler that was registered when it was sent.
    struct delivery {
        std::shared_ptr<message> what;
        message_handler handler;
    };

    void dispatch(std::uint64_t &first_in_hand);
    std::uint64_t first_pending() const;
    void stop();

    std::mutex mutex_; // guards everything below but the threads; no handler runs under it
    std::condition_variable queued_;
    std::condition_variable dispatched_;
    std::unordered_map<std::uint64_t, message_handler> handlers_;
    std::deque<delivery> queue_;
    std::vector<std::uint64_t> first_in_hand_; // by dispatcher: the oldest message it has taken
    bus_counts counts_{};
    bool held_ = false;
    bool stopping_ = false;
    std::vector<std::thread> dispatchers_;
};

} // namespace bus
