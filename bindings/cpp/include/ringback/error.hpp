// SPDX-License-Identifier: MIT OR Apache-2.0

// Failures: as a value, as an exception, and as the status and text that cross the border.
#pragma once

#include <ringback.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define RINGBACK_EXCEPTIONS 1
#define RINGBACK_MODE abi1
#else
#define RINGBACK_EXCEPTIONS 0
#define RINGBACK_MODE abi1_noexcept
#endif

// The mode is part of every name, so that objects compiled with and without exceptions are never
// mixed up by the linker.
namespace ringback {
inline namespace RINGBACK_MODE {

// Why a call had no result.
struct Failure {
    rb_status_t status;  // never RB_OK
    std::string text;
};

// A Failure as an exception. A C++ callable may throw it to answer with a status of its choice.
class [[gnu::visibility("default")]] Error : public std::runtime_error {
  public:
    Error(rb_status_t status, const std::string &text) : std::runtime_error(text), status_(status) {}

    rb_status_t status() const noexcept { return status_; }

  private:
    rb_status_t status_;
};

namespace detail {

[[noreturn]] inline void raise(const Failure &failure) {
#if RINGBACK_EXCEPTIONS
    throw Error(failure.status, failure.text);
#else
    std::fprintf(stderr, "ringback: status %d: %s\n", static_cast<int>(failure.status),
                 failure.text.c_str());
    std::abort();
#endif
}

[[noreturn]] inline void raise_no_memory() {
#if RINGBACK_EXCEPTIONS
    throw std::bad_alloc();
#else
    std::abort();
#endif
}

// Gives the text of an error back. While its text is null, nobody looks at the rest.
inline void clear(rb_error_t &error) noexcept {
    if (error.text && error.release) error.release(error.owner);
    error.text = nullptr;
}

// What a call has answered that was not RB_OK, and gives the text back.
inline Failure received(rb_status_t status, rb_error_t error) {
    struct Clear {
        rb_error_t &error;
        ~Clear() { clear(error); }
    } at_the_end{error};
    return {status, error.text ? std::string(error.text, error.length) : std::string()};
}

// Takes the error by value, so that its address need not be kept in a register across the call.
[[noreturn, gnu::noinline, gnu::cold]] inline void raise(rb_status_t status, rb_error_t error) {
    raise(received(status, error));
}

inline Failure empty() { return {RB_INVALID, "the callback is empty"}; }

[[noreturn, gnu::noinline, gnu::cold]] inline void raise_empty() { raise(empty()); }

// Fills *error with a copy of the text, or with none if there is no memory. Answers the status.
inline rb_status_t answer(rb_error_t *error, rb_status_t status, const char *text,
                          std::size_t length) noexcept {
    if (error) {
        clear(*error);
        if (auto *copy = static_cast<char *>(std::malloc(length + 1))) {
            std::memcpy(copy, text, length);
            copy[length] = '\0';
            *error = {copy, length, copy, [](void *owner) { std::free(owner); }};
        }
    }
    return status == RB_OK ? RB_ERROR : status;
}

inline rb_status_t answer(rb_error_t *error, rb_status_t status, const char *text) noexcept {
    return answer(error, status, text, std::strlen(text));
}

inline rb_status_t answer(rb_error_t *error, const Failure &failure) noexcept {
    return answer(error, failure.status, failure.text.data(), failure.text.size());
}

// Runs a C++ callable on behalf of foreign code: what it throws becomes a status and a text.
template <class Body>
rb_status_t guarded([[maybe_unused]] rb_error_t *error, Body &&body) noexcept {
#if RINGBACK_EXCEPTIONS
    try {
        return body();
    } catch (const Error &thrown) {
        return answer(error, thrown.status(), thrown.what());
    } catch (const std::exception &thrown) {
        return answer(error, RB_ERROR, thrown.what());
    } catch (...) {
        return answer(error, RB_ERROR, "a C++ exception that is not a std::exception");
    }
#else
    return body();
#endif
}

}  // namespace detail

// What try_call answers: a value, or why there is none. A C++ callable may return one too; then a
// Failure becomes a status and a text on the other side, with no exception.
template <class T>
class Result {
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  public:
    Result(Value value = Value()) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Failure failure) : content_(std::in_place_index<1>, std::move(failure)) {}

    explicit operator bool() const noexcept { return content_.index() == 0; }
    rb_status_t status() const noexcept { return *this ? RB_OK : failure().status; }
    // Only where there is no value.
    const Failure &failure() const noexcept { return *std::get_if<1>(&content_); }

    // The value; where there is none, throws Error.
    T value() && {
        if (!*this) detail::raise(failure());
        if constexpr (!std::is_void_v<T>) return std::move(*std::get_if<0>(&content_));
    }
    T value() const & { return Result(*this).value(); }

  private:
    std::variant<Value, Failure> content_;
};

}  // inline namespace
}  // namespace ringback
