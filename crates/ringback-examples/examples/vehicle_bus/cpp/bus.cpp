// SPDX-License-Identifier: MIT OR Apache-2.0

#include "bus.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <limits>
#include <utility>

namespace bus {

namespace {

using clock = std::chrono::steady_clock;

// A dispatcher takes so many messages at once, to share the price of the lock and of the clock.
constexpr std::size_t batch_size = 32;

constexpr std::uint64_t nothing_in_hand = std::numeric_limits<std::uint64_t>::max();

std::uint64_t id_of(service_t service, instance_t instance, method_t method) {
    return std::uint64_t{service} << 32 | std::uint64_t{instance} << 16 | method;
}

} // namespace

application::application(std::size_t dispatchers)
    : first_in_hand_(std::max<std::size_t>(dispatchers, 1), nothing_in_hand) {
    dispatchers_.reserve(first_in_hand_.size());
    try {
        for (auto &in_hand : first_in_hand_) {
            dispatchers_.emplace_back([this, &in_hand] { dispatch(in_hand); });
        }
    } catch (...) {
        stop();
        throw;
    }
}

application::~application() { stop(); }

void application::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    queued_.notify_all();
    for (auto &dispatcher : dispatchers_) {
        dispatcher.join();
    }
}

void application::register_message_handler(service_t service, instance_t instance, method_t method,
                                           message_handler handler) {
    const std::lock_guard lock(mutex_);
    // The replaced handler dies with the argument, after the lock.
    std::swap(handlers_[id_of(service, instance, method)], handler);
}

void application::unregister_message_handler(service_t service, instance_t instance,
                                             method_t method) {
    decltype(handlers_)::node_type removed; // dies after the lock
    const std::lock_guard lock(mutex_);
    removed = handlers_.extract(id_of(service, instance, method));
}

void application::send(std::shared_ptr<message> what) {
    const auto [service, instance, method] = what->key;
    {
        const std::lock_guard lock(mutex_);
        what->sequence = counts_.sent++;
        const auto handler = handlers_.find(id_of(service, instance, method));
        if (handler == handlers_.end()) {
            ++counts_.unhandled;
            return;
        }
        queue_.push_back({std::move(what), handler->second});
    }
    queued_.notify_one();
}

void application::dispatch(std::uint64_t &first_in_hand) {
    std::vector<delivery> batch;
    batch.reserve(batch_size);
    std::unique_lock lock(mutex_);
    while (true) {
        queued_.wait(lock, [this] { return stopping_ || (!held_ && !queue_.empty()); });
        if (stopping_) {
            return;
        }
        first_in_hand = queue_.front().what->sequence;
        while (batch.size() < batch_size && !queue_.empty()) {
            batch.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        lock.unlock();

        const auto begin = clock::now();
        for (const auto &[what, handler] : batch) {
            try {
                handler(what);
            } catch (const std::exception &error) { // only these, as in vsomeip
                std::cerr << "bus: a handler threw: " << error.what() << '\n';
            }
        }
        const std::chrono::nanoseconds spent = clock::now() - begin;
        const auto calls = batch.size();
        batch.clear(); // before `drain` may take notice

        lock.lock();
        first_in_hand = nothing_in_hand;
        counts_.dispatched += calls;
        counts_.nanoseconds += static_cast<std::uint64_t>(spent.count());
        dispatched_.notify_all();
    }
}

std::uint64_t application::first_pending() const {
    const auto in_hand = *std::min_element(first_in_hand_.begin(), first_in_hand_.end());
    return queue_.empty() ? in_hand : std::min(in_hand, queue_.front().what->sequence);
}

void application::drain() {
    std::unique_lock lock(mutex_);
    dispatched_.wait(lock, [this, end = counts_.sent] { return first_pending() >= end; });
}

void application::hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
}

void application::release() {
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
    }
    queued_.notify_all();
}

bus_counts application::counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
}

} // namespace bus
