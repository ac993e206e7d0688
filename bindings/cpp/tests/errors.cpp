// SPDX-License-Identifier: MIT OR Apache-2.0

// Exceptions, errors and panics, each crossing in each direction.
#include "support.hpp"

static void answers(const Answer &answer, rb_status_t status, const char *text) {
    CHECK(answer.status == status);
    CHECK(answer.text == text);
    CHECK(answer.value == -77);  // left alone
}

// Without exceptions and with: a Result.
static void a_result_becomes_a_status_and_a_text() {
    Keep kept = keep([](std::int64_t value) -> ringback::Result<std::int64_t> {
        if (value < 0) return ringback::Failure{RB_REJECTED, "negative"};
        if (value == 0) return ringback::Failure{RB_OK, "a failure is never OK"};
        return value;
    });
    CHECK(call(kept, 3).value == 3);
    answers(call(kept, -3), RB_REJECTED, "negative");
    answers(call(kept, 0), RB_ERROR, "a failure is never OK");
    std::int64_t out = 0;
    CHECK(native_call(kept.get(), -3, &out, nullptr) == RB_REJECTED);
    End ends([]() -> ringback::Result<void> { return ringback::Failure{99, "unknown kind"}; });
    CHECK(ends.try_call().status() == 99);
}

static void try_call_answers_what_rust_said() {
    Value picky = Value::adopt(native_picky());
    CHECK(picky.try_call(3).value() == 3);
    auto negative = picky.try_call(-3);
    CHECK(!negative && negative.status() == RB_ERROR);
    CHECK(negative.failure().text == "-3 is too small for Grüße");
    auto large = picky.try_call(30);
    CHECK(large.status() == RB_PANIC && large.failure().text == "30 is too large");
    CHECK(picky.try_call(9).status() == RB_OK);
    CHECK(Value().try_call(1).status() == RB_INVALID);
    CHECK(Value().try_call(1).failure().text == "the callback is empty");
}

static void a_failure_goes_round_through_rust_and_back() {
    Value fails([](std::int64_t value) -> ringback::Result<std::int64_t> {
        return ringback::Failure{RB_CANCELLED, "cancelled " + std::to_string(value)};
    });
    Value relay = Value::adopt(native_relay(std::move(fails).into_c<OnValue>()));
    auto result = relay.try_call(4);
    CHECK(result.status() == RB_CANCELLED && result.failure().text == "cancelled 4");

    Keep kept = keep(Value::adopt(native_relay(native_picky())));  // Rust -> C++ -> Rust
    answers(call(kept, -1), RB_ERROR, "-1 is too small for Grüße");
    answers(call(kept, 10), RB_PANIC, "10 is too large");
}

#if RINGBACK_EXCEPTIONS

// Throws what the value says.
static std::int64_t throws(std::int64_t value) {
    struct Silent {};
    switch (value) {
        case 1: throw std::runtime_error("it broke");
        case 2: throw std::bad_alloc();
        case 3: throw 42;
        case 4: throw Silent{};
        case 5: throw ringback::Error(RB_CANCELLED, "not today");
        case 6: throw std::logic_error("");
        case 7: throw ringback::Error(RB_OK, "still an error");
        case 8: throw std::runtime_error(std::string(100000, 'x'));
        default: return value;
    }
}

static void exceptions_reach_rust_as_errors() {
    Keep kept = keep(throws);
    answers(call(kept, 1), RB_ERROR, "it broke");
    answers(call(kept, 2), RB_ERROR, std::bad_alloc().what());
    answers(call(kept, 3), RB_ERROR, "a C++ exception that is not a std::exception");
    answers(call(kept, 4), RB_ERROR, "a C++ exception that is not a std::exception");
    answers(call(kept, 5), RB_CANCELLED, "not today");
    answers(call(kept, 6), RB_ERROR, "");
    answers(call(kept, 7), RB_ERROR, "still an error");
    CHECK(call(kept, 8).text.size() == 100000);
    CHECK(call(kept, 9).value == 9);  // usable afterwards
    std::int64_t out = 0;
    CHECK(native_call(kept.get(), 1, &out, nullptr) == RB_ERROR);
}

template <class Body>
static void raises(rb_status_t status, const char *text, Body body) {
    try {
        body();
        CHECK(!"nothing was thrown");
    } catch (const ringback::Error &error) {
        CHECK(error.status() == status);
        CHECK(std::strcmp(error.what(), text) == 0);
    }
}

static void errors_and_panics_of_rust_are_exceptions() {
    Value picky = Value::adopt(native_picky());
    std::function<std::int64_t(std::int64_t)> function = picky;
    raises(RB_ERROR, "-5 is too small for Grüße", [&] { picky(-5); });
    raises(RB_PANIC, "50 is too large", [&] { function(50); });
    raises(RB_INVALID, "the callback is empty", [] { Value()(1); });
    raises(RB_INVALID, "the callback is empty (all zero)", [] { Value::adopt(OnValue{}); });
    raises(RB_ERROR, "-5 is too small for Grüße", [&] { picky.try_call(-5).value(); });
    CHECK(function(5) == 5);
}

static void exceptions_go_round_through_rust_and_back() {
    Value relay = Value::adopt(native_relay(Value(throws).into_c<OnValue>()));
    raises(RB_ERROR, "it broke", [&] { relay(1); });
    raises(RB_CANCELLED, "not today", [&] { relay(5); });
    Value nested([&relay](std::int64_t value) { return relay(value); });
    Value outer = Value::adopt(native_relay(nested.retained<OnValue>()));
    raises(RB_ERROR, "it broke", [&] { outer(1); });
    raises(RB_CANCELLED, "not today", [&] { outer(5); });
    try {
        relay(1);
    } catch (const std::exception &error) {  // as any other exception
        CHECK(std::strcmp(error.what(), "it broke") == 0);
    }
}

static void a_callable_that_cannot_be_copied_in_leaks_nothing() {
    struct Throws {
        explicit Throws(std::atomic<int> &alive) : witness(alive) {}
        Throws(const Throws &other) : witness(other.witness) { throw std::runtime_error("copy"); }
        std::int64_t operator()(std::int64_t value) const { return value; }
        Witness witness;
    };
    std::atomic<int> alive{0};
    {
        Throws callable(alive);
        try {
            Value value(callable);
            CHECK(!"nothing was thrown");
        } catch (const std::runtime_error &) {
        }
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

#endif

int main() {
    CHECK_BEGIN();
    RUN(a_result_becomes_a_status_and_a_text);
    RUN(try_call_answers_what_rust_said);
    RUN(a_failure_goes_round_through_rust_and_back);
#if RINGBACK_EXCEPTIONS
    RUN(exceptions_reach_rust_as_errors);
    RUN(errors_and_panics_of_rust_are_exceptions);
    RUN(exceptions_go_round_through_rust_and_back);
    RUN(a_callable_that_cannot_be_copied_in_leaks_nothing);
#endif
    return CHECK_END();
}
