// SPDX-License-Identifier: MIT OR Apache-2.0

// The guide's chapter on C++.
#include <ringback/async.hpp>
#include <ringback/ringback.hpp>

#include <cassert>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "door.h"

// ANCHOR: type
using Door = ringback::Callback<int32_t(bool)>;
// ANCHOR_END: type

struct Hinges {
    int told = 0;
    ~Hinges() { std::printf("dropped after %d\n", told); }
};

static void give() {
    auto hinges = std::make_unique<Hinges>();
    // ANCHOR: give
    Door mine([hinges = std::move(hinges)](bool open) {  // any callable; this one cannot be copied
        if (!open && hinges->told == 0) throw std::runtime_error("it was never open");
        return ++hinges->told;
    });
    door_watch(std::move(mine).into_c<OnDoor>());  // gives it away
    // ANCHOR_END: give
    assert(door_turn(false) == -1);
    assert(door_turn(true) == 1 && door_turn(false) == 2);
    door_leave();
}

static void take() {
    // ANCHOR: take
    Door rust = Door::adopt(door_answerer());      // owned: released by its destructor
    int32_t answer = rust(true);                   // throws ringback::Error: status(), what()
    std::function<int32_t(bool)> function = rust;  // shares it
    if (auto result = rust.try_call(false)) answer += result.value();  // throws nothing
    // ANCHOR_END: take
    std::printf("Rust answered %d and %d\n", answer, function(true));
}

static void wait() {
    // ANCHOR: tasks
    using Find = ringback::AsyncCallback<int64_t(uint32_t)>;

    Find mine([](uint32_t id, ringback::Completion<int64_t> done) {
        done(id * 10);  // here, or later on any thread
    });
    int64_t key = door_find(std::move(mine).into_c<FindKey>(), 7);

    std::future<int64_t> other = Find::adopt(door_finder()).get(7);
    // ANCHOR_END: tasks
    std::printf("found %d and %d\n", static_cast<int>(key), static_cast<int>(other.get()));
}

// ANCHOR: bell
// A library that copies std::functions, as vsomeip does.
static std::vector<std::function<void(int32_t)>> bells;

static void connect(void (*function)(int32_t), rb_token_t token) {
    auto carrying = ringback::function_with_token(function, ringback::Token(token));
    bells = {carrying, carrying, carrying};  // each copy carries the token
}
// ANCHOR_END: bell

static void press() {
    for (auto &bell : bells) bell(2);
}

static void disconnect() { bells.clear(); }

int main() {
    give();
    take();
    wait();
    std::printf("rang %d times\n", door_bell(connect, press, disconnect));
}
