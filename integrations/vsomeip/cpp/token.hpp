// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace ringback::vsomeip {

/// Tells Rust that nobody will ever use this context again. Takes no lock, runs no user code.
void released(std::size_t context) noexcept;

/// Counts the copies of a handler.
///
/// Every copy of a `std::function` that captures a token (in vsomeip's map, in its queue, in a call
/// that runs) holds a copy of it. When the last one is destroyed, Rust is told, once. That destructor
/// may run inside vsomeip's mutexes: so it only signals.
class Token {
public:
    explicit Token(std::size_t context) : count_(new Count{{1}, context}) {}
    Token(const Token& other) noexcept : count_(other.count_) {
        count_->copies.fetch_add(1, std::memory_order_relaxed);
    }
    Token(Token&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Token& operator=(Token other) noexcept {
        std::swap(count_, other.count_);
        return *this;
    }
    ~Token() {
        // Acquire and release: whoever frees the context sees what every call did.
        if (count_ && count_->copies.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            const std::size_t context = count_->context;
            delete count_;
            released(context);
        }
    }

    std::size_t context() const noexcept { return count_->context; }

private:
    struct Count {
        std::atomic<std::size_t> copies;
        std::size_t context;
    };
    Count* count_;
};

} // namespace ringback::vsomeip
