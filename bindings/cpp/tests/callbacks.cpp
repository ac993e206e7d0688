// SPDX-License-Identifier: MIT OR Apache-2.0

// Callables that Rust keeps, Rust closures that C++ keeps, and every way from one to the other.
#include "support.hpp"

#include <mutex>

static_assert(std::is_nothrow_move_constructible_v<Value> && std::is_copy_constructible_v<Value>);
static_assert(!std::is_convertible_v<Value, bool>, "only explicitly");
static_assert(!std::is_constructible_v<Value, int>, "not callable");
static_assert(!std::is_constructible_v<Value, void (*)(std::int64_t)>, "answers nothing");
static_assert(ringback::detail::crosses<Point> && ringback::detail::crosses<Colour>);
static_assert(!ringback::detail::crosses<std::string> && !ringback::detail::crosses<const int &>);
static_assert(!ringback::detail::crosses<long double>);

static void rust_keeps_a_lambda_and_lets_go_once() {
    std::atomic<int> alive{0};
    {
        Keep kept = keep([witness = Witness(alive)](std::int64_t value) { return value * 2; });
        CHECK(alive == 1);
        CHECK(call(kept, 21).value == 42);
        Keep clone(native_clone(kept.get()));
        kept.reset();
        CHECK(alive == 1 && call(clone, 4).value == 8);
    }
    CHECK(alive == 0);
}

static void a_callable_that_can_only_be_moved_is_enough() {
    auto owned = std::make_unique<std::int64_t>(5);
    Keep kept = keep([owned = std::move(owned)](std::int64_t value) { return value + *owned; });
    CHECK(call(kept, 1).value == 6);
}

static std::int64_t minus(std::int64_t value) { return -value; }

static void function_pointers_and_functions_are_taken_and_empty_ones_are_empty() {
    CHECK(Value(minus)(3) == -3);
    CHECK(Value(&minus)(3) == -3);
    CHECK(Value(std::function<std::int64_t(std::int64_t)>(minus))(3) == -3);
    CHECK(!Value() && !Value(nullptr));
    CHECK(!Value(static_cast<std::int64_t (*)(std::int64_t)>(nullptr)));
    CHECK(!Value(std::function<std::int64_t(std::int64_t)>()));
    CHECK(!Value().to_function());
    CHECK(Value(minus).to_function()(1) == -1);
}

static void copies_share_one_callable_and_moves_leave_nothing() {
    std::atomic<int> alive{0};
    Value first([witness = Witness(alive)](std::int64_t value) { return value; });
    Value second = first, third = std::move(first);
    CHECK(!first && second && third && alive == 1);
    second = third;
    second = std::move(third);
    CHECK(!third && second(9) == 9);
    Value &same = second;
    second = same;
    CHECK(second(8) == 8 && alive == 1);
    second = nullptr;
    CHECK(!second && alive == 0);
}

static void a_rust_closure_is_called_and_dropped_with_the_last_copy() {
    const std::size_t before = native_drops();
    {
        Value adder = Value::adopt(native_adder(40));
        std::function<std::int64_t(std::int64_t)> function = adder, copy = function;
        adder = nullptr;
        CHECK(copy(2) == 42);
        function = nullptr;
        CHECK(native_drops() == before);
    }
    CHECK(native_drops() == before + 1);
    Door inverts = Door::adopt(native_not());
    CHECK(inverts(false) && !inverts(true));
}

static void a_call_goes_round_through_rust_and_back() {
    std::atomic<int> alive{0};
    const std::size_t before = native_drops();
    {
        Value inner([witness = Witness(alive)](std::int64_t value) { return value + 1; });
        Value relay = Value::adopt(native_relay(std::move(inner).into_c<OnValue>()));
        Value twice = Value::adopt(native_relay(relay.retained<OnValue>()));
        std::function<std::int64_t(std::int64_t)> function = twice;
        Value again(function);
        CHECK(again(1) == 2 && relay(5) == 6);
    }
    CHECK(alive == 0 && native_drops() == before + 2);
}

static int plain_references, plain_releases;
static void plain_retain(void *) { plain_references++; }
static void plain_release(void *) { plain_references--, plain_releases++; }
static rb_status_t plain_call(void *context, std::int64_t value, std::int64_t *out, rb_error_t *) {
    CHECK(context == &plain_references);
    *out = value + 100;
    return RB_OK;
}

static OnValue plain() {
    plain_references = 1, plain_releases = 0;
    return RB_CALLBACK_INIT(plain_call, &plain_references, plain_retain, plain_release);
}

static void a_struct_is_adopted_with_its_reference() {
    {
        Value adopted = Value::adopt(plain());
        Value copy = adopted;
        CHECK(plain_references == 2 && copy(1) == 101);
        OnValue given = adopted.retained<OnValue>();
        CHECK(plain_references == 3 && given.call == plain_call);
        rb_callback_t untyped = std::move(copy).into_c();
        CHECK(plain_references == 3 && !copy);
        CHECK(Value::adopt(untyped)(2) == 102);
        CHECK(plain_references == 2);
        RB_RELEASE(&given);
    }
    CHECK(plain_references == 0 && plain_releases == 3);
}

static void a_struct_without_retain_is_shared_by_a_count_of_its_own() {
    OnValue one = plain();
    one.retain = nullptr;
    {
        Value adopted = Value::adopt(one);
        Value copy = adopted;
        CHECK(plain_references == 1 && copy(1) == 101);
        Keep kept = keep(copy), clone = keep(std::move(copy));  // each a forwarder
        CHECK(call(kept, 1).value == 101);
        kept.reset();
        adopted = nullptr;
        CHECK(plain_releases == 0 && call(clone, 2).value == 102);
    }
    CHECK(plain_references == 0 && plain_releases == 1);
}

static void a_static_struct_needs_no_count() {
    OnValue fixed = RB_CALLBACK_INIT(plain_call, &plain_references, nullptr, nullptr);
    Value adopted = Value::adopt(fixed), copy = adopted;
    OnValue given = std::move(copy).into_c<OnValue>();
    CHECK(!given.retain && !given.release && adopted(1) == 101);
}

static void refused(OnValue bad, const char *part) {
    auto result = Value::try_adopt(bad);
    CHECK(!result && result.status() == RB_INVALID);
    CHECK(result.failure().text.find(part) != std::string::npos);
}

static void malformed_structs_are_refused_with_the_remedy() {
    refused(OnValue{}, "empty");
    OnValue bad = plain();
    bad.size = 24;
    refused(bad, "sizeof(rb_callback_t)");
    bad = plain();
    bad.abi = 2;
    refused(bad, "rebuild both sides");
    CHECK(plain_releases == 0);  // the fields of another version mean nothing
    bad = plain();
    bad.call = nullptr;
    refused(bad, "nothing to call");
    CHECK(plain_releases == 1);  // it was a reference all the same
    bad = plain();
    bad.release = nullptr;
    refused(bad, "never be freed");
    std::memset(&bad, 0xa5, sizeof bad);
    refused(bad, "size is wrong");
    OnValue empty = Value().into_c<OnValue>();
    CHECK(empty.size == 0 && !empty.call && !native_keep(empty, nullptr));
}

static void every_kind_of_argument_arrives() {
    using Every = ringback::Callback<Point(std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                                           std::int32_t, std::uint32_t, std::int64_t, std::uint64_t,
                                           std::size_t, float, double, bool, const char *, Colour,
                                           Point, std::int32_t (*)(std::int32_t))>;
    Every every([](auto i8, auto u8, auto i16, auto u16, auto i32, auto u32, auto i64, auto u64,
                   auto size, auto f32, auto f64, bool yes, const char *text, Colour colour,
                   Point point, auto done) {
        CHECK(i8 == INT8_MIN && u8 == UINT8_MAX && i16 == INT16_MIN && u16 == UINT16_MAX);
        CHECK(i32 == INT32_MIN && u32 == UINT32_MAX && i64 == INT64_MIN && u64 == UINT64_MAX);
        CHECK(size == SIZE_MAX && f32 == 1.5f && f64 == -2.5 && yes);
        CHECK(std::strcmp(text, "text") == 0 && colour == Green && done(14) == 42);
        return Point{point.x * 2, point.y - 1};
    });
    const Point answer = native_every(std::move(every).into_c<OnEvery>(), "text");
    CHECK(answer.x == 1.0 && answer.y == -9);
}

static void bool_is_one_byte_both_ways() {
    Door inverts([](bool open) { return !open; });
    CHECK(native_ask_door(inverts.retained<OnDoor>(), true) == 0);
    CHECK(native_ask_door(inverts.retained<OnDoor>(), false) == 1);
}

static void the_last_release_may_come_from_another_thread() {
    std::atomic<int> alive{0};
    std::thread::id destroyed_on;
    struct Notes {
        std::thread::id *where;
        ~Notes() { *where = std::this_thread::get_id(); }
    };
    auto notes = std::make_unique<Notes>(Notes{&destroyed_on});
    Keep kept = keep([witness = Witness(alive), notes = std::move(notes)](std::int64_t value) {
        return value;
    });
    native_drop_elsewhere(kept.release());
    CHECK(alive == 0);
    CHECK(destroyed_on != std::thread::id() && destroyed_on != std::this_thread::get_id());
}

static void a_callback_may_be_released_inside_its_own_call() {
    std::atomic<int> alive{0};
    Value clears([&alive, witness = Witness(alive)](std::int64_t value) {
        native_clear_shelf();
        CHECK(alive == 1);
        return value + 1;
    });
    native_shelve(std::move(clears).into_c<OnValue>());
    std::int64_t out = 0;
    CHECK(native_call_shelved(1, &out, nullptr) == RB_OK && out == 2);
    CHECK(alive == 0);
}

static void a_rust_closure_may_be_released_inside_its_own_call() {
    const std::size_t before = native_drops();
    static End outer;
    End resets([] { outer = nullptr; });
    outer = End::adopt(native_calls_out(std::move(resets).into_c<OnEnd>()));
    outer();
    CHECK(!outer && native_drops() == before + 1);
}

static void many_threads_call_copy_and_release() {
    std::atomic<int> alive{0};
    std::atomic<long> calls{0};
    {
        Value counts([&calls, witness = Witness(alive)](std::int64_t) {
            return std::int64_t(++calls > 0);
        });
        Keep kept = keep(counts);
        const Kept *pointers[] = {kept.get()};
        std::thread rust([&] { CHECK(native_storm(pointers, 1, 2, 5000) == 10000); });
        std::thread copies[2];
        for (auto &thread : copies) {
            thread = std::thread([&counts] {
                for (int i = 0; i < 5000; i++) {
                    std::function<std::int64_t(std::int64_t)> function = counts;
                    Value through = Value::adopt(Value(function).retained<OnValue>());
                    CHECK(through(1) == 1);
                }
            });
        }
        rust.join();
        for (auto &thread : copies) thread.join();
    }
    CHECK(alive == 0 && calls == 20000);
}

int main() {
    CHECK_BEGIN();
    RUN(rust_keeps_a_lambda_and_lets_go_once);
    RUN(a_callable_that_can_only_be_moved_is_enough);
    RUN(function_pointers_and_functions_are_taken_and_empty_ones_are_empty);
    RUN(copies_share_one_callable_and_moves_leave_nothing);
    RUN(a_rust_closure_is_called_and_dropped_with_the_last_copy);
    RUN(a_call_goes_round_through_rust_and_back);
    RUN(a_struct_is_adopted_with_its_reference);
    RUN(a_struct_without_retain_is_shared_by_a_count_of_its_own);
    RUN(a_static_struct_needs_no_count);
    RUN(malformed_structs_are_refused_with_the_remedy);
    RUN(every_kind_of_argument_arrives);
    RUN(bool_is_one_byte_both_ways);
    RUN(the_last_release_may_come_from_another_thread);
    RUN(a_callback_may_be_released_inside_its_own_call);
    RUN(a_rust_closure_may_be_released_inside_its_own_call);
    RUN(many_threads_call_copy_and_release);
    return CHECK_END();
}
