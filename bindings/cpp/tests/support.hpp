// SPDX-License-Identifier: MIT OR Apache-2.0

// What the C++ tests share: checks, the Rust library, and objects that count themselves.
#pragma once

#include "check.h"
#include "native.h"

#include <ringback/ringback.hpp>

#include <atomic>
#include <memory>
#include <thread>

using Value = ringback::Callback<std::int64_t(std::int64_t)>;
using End = ringback::Callback<void()>;
using Door = ringback::Callback<bool(bool)>;

// Counts the objects that are alive, so that a test sees what is dropped when.
class Witness {
  public:
    explicit Witness(std::atomic<int> &alive) : alive_(&alive) { ++*alive_; }
    Witness(const Witness &other) : alive_(other.alive_) { ++*alive_; }
    Witness(Witness &&other) noexcept : alive_(other.alive_) { ++*alive_; }
    Witness &operator=(const Witness &) = delete;
    ~Witness() { --*alive_; }

  private:
    std::atomic<int> *alive_;
};

// A callback that Rust keeps.
struct Drop {
    void operator()(Kept *kept) const { native_drop(kept); }
};
using Keep = std::unique_ptr<Kept, Drop>;

inline Keep keep(Value callback) {
    return Keep(native_keep(std::move(callback).into_c<OnValue>(), nullptr));
}

// What Rust gets when it calls.
struct Answer {
    rb_status_t status;
    std::int64_t value;
    std::string text;
};

inline Answer call(const Keep &kept, std::int64_t value) {
    rb_error_t error{};
    Answer answer{RB_OK, -77, ""};
    answer.status = native_call(kept.get(), value, &answer.value, &error);
    if (error.text) answer.text.assign(error.text, error.length);
    rb_error_clear(&error);
    return answer;
}
