// SPDX-License-Identifier: MIT OR Apache-2.0

// Tokens: how the maker of something learns that its last copy has died.
#pragma once

#include "error.hpp"

#include <atomic>
#include <cstdint>
#include <functional>

namespace ringback {
inline namespace RINGBACK_MODE {

namespace detail {

// A value with a count; what a callback's or a token's context points to. A count that passes the
// limit, more than fits into memory, stays up there: the value is leaked, and never freed too early.
template <class T>
struct Counted {
    static constexpr std::size_t limit = SIZE_MAX / 2, saturated = SIZE_MAX / 4 * 3;

    std::atomic<std::size_t> count;
    T value;

    static void retain(void *context) noexcept {
        auto &count = static_cast<Counted *>(context)->count;
        if (count.fetch_add(1, std::memory_order_relaxed) > limit)
            count.store(saturated, std::memory_order_relaxed);
    }
    static void release(void *context) noexcept {
        auto *counted = static_cast<Counted *>(context);
        const std::size_t before = counted->count.fetch_sub(1, std::memory_order_acq_rel);
        if (before > limit) counted->count.store(saturated, std::memory_order_relaxed);
        if (before == 1) delete counted;
    }
};

}  // namespace detail

// A reference to something counted elsewhere, usually by Rust, without a call in it. Capture one in
// a lambda, and its maker learns when the last copy of every std::function made from that lambda
// has been destroyed, whatever maps and queues it was copied into.
//
// The last reference is taken away wherever the last copy dies, perhaps under locks of the library
// that held it. So `release` should only signal; ringback's own do.
class Token {
  public:
    using Function = void (*)(void *context);

    Token() noexcept = default;

    // Takes over one reference. Where retain is null, copies share that one by a count of their
    // own; where release is null too, there is nothing to count.
    Token(void *context, Function retain, Function release) : Token(context, retain, release, 0) {
        if (!release_) retain_ = nullptr;
        if (release_ && !retain_) share();
    }

    explicit Token(rb_token_t given) : Token(given.context, given.retain, given.release) {}

    Token(const Token &other) noexcept
        : context_(other.context_), retain_(other.retain_), release_(other.release_) {
        if (retain_) retain_(context_);
    }
    Token(Token &&other) noexcept
        : context_(std::exchange(other.context_, nullptr)),
          retain_(std::exchange(other.retain_, nullptr)),
          release_(std::exchange(other.release_, nullptr)) {}
    Token &operator=(Token other) noexcept {
        swap(other);
        return *this;
    }
    ~Token() {
        if (release_) release_(context_);
    }

    void reset() noexcept { Token().swap(*this); }
    void swap(Token &other) noexcept {
        std::swap(context_, other.context_);
        std::swap(retain_, other.retain_);
        std::swap(release_, other.release_);
    }
    // Whether there is a reference to be taken away.
    explicit operator bool() const noexcept { return release_ != nullptr; }

  private:
    template <class>
    friend class Callback;

    Token(void *context, Function retain, Function release, int) noexcept
        : context_(context), retain_(retain), release_(release) {}

    // If there is no memory, the destructor of *this takes the reference away.
    void share() {
        using Shared = detail::Counted<Token>;
        auto *shared = new (std::nothrow) Shared{{1}, Token()};
        if (!shared) detail::raise_no_memory();
        shared->value.swap(*this);
        *this = Token(shared, &Shared::retain, &Shared::release, 0);
    }

    void *context_ = nullptr;
    Function retain_ = nullptr;
    Function release_ = nullptr;
};

// A std::function made from a bare C function, such as one lent by a pool of ringback. Its copies
// carry the token; calling it costs nothing more than the pointer.
//
// The token dies with the last copy. If a library destroys that copy inside its own call, the call
// is still inside the function then: ringback's unregister waits for that too.
template <class R, class... A>
std::function<R(A...)> function_with_token(R (*pointer)(A...), Token token) {
    if (!pointer) return nullptr;
    return [pointer, token = std::move(token)](A... args) -> R {
        return pointer(std::forward<A>(args)...);
    };
}

}  // inline namespace
}  // namespace ringback
