// SPDX-License-Identifier: MIT OR Apache-2.0

// Tokens: Rust learns when the last copy has died, wherever it lived, and once.
#include "support.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <queue>
#include <vector>

using Function = std::function<std::int64_t(std::int64_t)>;
using ringback::Token;

// A token by hand, which counts what is done to it.
struct Hand {
    std::atomic<int> references{1};
    std::atomic<int> releases{0};

    static void retain(void *context) { ++static_cast<Hand *>(context)->references; }
    static void release(void *context) {
        auto *hand = static_cast<Hand *>(context);
        ++hand->releases;
        CHECK(--hand->references >= 0);
    }
    Token token() { return Token(this, retain, release); }
};

// A pooled function of the Rust library, and the token that Rust waits for.
struct Lent {
    Pooled *pooled = native_pool_register();
    Token token = Token(native_pool_token(pooled));

    Lent() = default;
    Lent(const Lent &) = delete;
    ~Lent() { native_pool_free(pooled); }
};

static void a_token_is_retained_by_copies_and_released_by_all() {
    Hand hand;
    {
        Token first = hand.token(), second = first, third = std::move(first);
        CHECK(!first && second && third && hand.references == 2);
        second = third;
        CHECK(hand.references == 2);
        second = std::move(third);
        CHECK(!third && hand.references == 1);
        Token &same = second;
        second = same;
        CHECK(hand.references == 1);
        Token fourth = second;
        fourth.reset();
        fourth.reset();
        CHECK(!fourth && hand.references == 1);
    }
    CHECK(hand.references == 0);
}

static void a_token_without_retain_has_a_count_of_its_own() {
    Hand hand;
    {
        Token first(&hand, nullptr, Hand::release), second = first;
        Token third = second;
        first.reset(), second.reset();
        CHECK(hand.releases == 0);
    }
    CHECK(hand.references == 0 && hand.releases == 1);
    Token fixed(&hand, nullptr, nullptr), copy = fixed;
    CHECK(!fixed && !copy);
}

static void a_count_beyond_all_reason_leaks_instead_of_freeing() {
    std::atomic<int> alive{0};
    using Counted = ringback::detail::Counted<Witness>;
    auto *counted = new Counted{{1}, Witness(alive)};
    for (std::size_t start : {Counted::limit, Counted::limit + 1, SIZE_MAX}) {
        counted->count = start;
        for (int i = 0; i < 3; i++) Counted::retain(counted);
        CHECK(counted->count == Counted::saturated);
        for (int i = 0; i < 9; i++) {
            Counted::release(counted);
            CHECK(counted->count == Counted::saturated && alive == 1);
        }
    }
    counted->count = 1;
    Counted::release(counted);
    CHECK(alive == 0);
}

static void any_lambda_can_carry_one_into_any_container() {
    Hand hand;
    {
        std::map<int, Function> map;
        std::queue<Function> queue;
        std::vector<Function> vector;
        {
            Function function = [token = hand.token()](std::int64_t value) { return value + 1; };
            for (int i = 0; i < 10; i++) map[i % 3] = function, queue.push(function);
            vector.assign(5, function);
        }
        while (!queue.empty()) CHECK(queue.front()(1) == 2), queue.pop();
        map.clear();
        vector.resize(1);
        CHECK(hand.references == 1);
        Function last = std::move(vector[0]);
        vector.clear();
        CHECK(hand.references == 1 && last(2) == 3);
    }
    CHECK(hand.references == 0);
}

static void unregister_waits_for_the_last_copy_and_then_confirms() {
    Lent lent;
    auto *pointer = native_pool_function(lent.pooled);
    Function function = ringback::function_with_token(pointer, std::move(lent.token));
    std::map<int, Function> handlers{{1, function}};
    std::queue<Function> queued;
    queued.push(function);
    function = nullptr;
    CHECK(handlers[1](4) == 8);
    handlers.clear();
    CHECK(queued.front()(5) == 10);
    CHECK(!native_pool_unregister(lent.pooled, 20));  // the queue still has one
    CHECK(queued.front()(5) == -1);                   // a stale call: the fallback
    queued.pop();
    CHECK(native_pool_unregister(lent.pooled, 0));
    CHECK(native_pool_is_dropped(lent.pooled));
    CHECK(pointer(1) == -1);
}

static void a_slot_that_was_confirmed_is_lent_again() {
    for (int round = 0; round < 40; round++) {  // ten times the pool
        Lent lent;
        CHECK(lent.pooled);
        Function function =
            ringback::function_with_token(native_pool_function(lent.pooled), std::move(lent.token));
        CHECK(function(round) == 2 * round);
        std::thread([moved = std::move(function)] {
            const std::int64_t answer = moved(1);
            CHECK(answer == 2 || answer == -1);  // perhaps it comes late
        }).detach();
        CHECK(native_pool_unregister(lent.pooled, 60000));
    }
}

static void a_null_pointer_gives_an_empty_function_and_ends_the_token() {
    Hand hand;
    Function function =
        ringback::function_with_token(static_cast<std::int64_t (*)(std::int64_t)>(nullptr), hand.token());
    CHECK(!function && hand.references == 0);
}

static void a_function_of_a_rust_closure_ends_with_its_last_copy() {
    const std::size_t before = native_drops();
    std::map<int, Function> map;
    {
        Function function = Value::adopt(native_adder(1));
        for (int i = 0; i < 8; i++) map[i] = function;
    }
    CHECK(map[7](1) == 2);
    for (int i = 0; i < 7; i++) map.erase(i);
    CHECK(native_drops() == before);
    map.clear();
    CHECK(native_drops() == before + 1);
}

// A dispatcher as message libraries have them: handlers in a map, copies in a queue, several threads.
class Dispatcher {
  public:
    void set(int key, Function handler) {
        std::lock_guard lock(mutex_);
        handlers_[key] = std::move(handler);
    }
    void clear(int key) {
        std::lock_guard lock(mutex_);
        handlers_.erase(key);
    }
    void post(int key) {
        std::lock_guard lock(mutex_);
        auto found = handlers_.find(key);
        if (found != handlers_.end()) queue_.push(found->second);
    }
    bool run_one() {
        Function next;
        {
            std::lock_guard lock(mutex_);
            if (queue_.empty()) return false;
            next = queue_.front();
            queue_.pop();
        }
        next(1);
        return true;
    }

  private:
    std::mutex mutex_;
    std::map<int, Function> handlers_;
    std::queue<Function> queue_;
};

static void threads_that_copy_queue_and_call_end_each_token_once() {
    constexpr int keys = 50;
    std::vector<Hand> hands(keys);
    std::atomic<long> after_end{0};
    Dispatcher dispatcher;
    std::atomic<int> posting{2};
    std::vector<std::thread> threads;
    for (int key = 0; key < keys; key++) {
        dispatcher.set(key, [&after_end, hand = &hands[key], token = hands[key].token()](std::int64_t v) {
            if (hand->references == 0) ++after_end;
            return v;
        });
    }
    for (int t = 0; t < 2; t++) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20000; i++) dispatcher.post(i % keys);
            posting--;
        });
        threads.emplace_back([&] {
            while (dispatcher.run_one() || posting > 0) std::this_thread::yield();
        });
    }
    for (int key = 0; key < keys; key++) {
        dispatcher.clear(key);
        std::this_thread::yield();
    }
    for (auto &thread : threads) thread.join();
    for (auto &hand : hands) CHECK(hand.references == 0 && hand.releases > 0);
    CHECK(after_end == 0);
}

static void a_pooled_function_under_traffic_is_never_called_after_unregister() {
    Lent lent;
    Dispatcher dispatcher;
    std::atomic<bool> stop{false};
    dispatcher.set(
        0, ringback::function_with_token(native_pool_function(lent.pooled), std::move(lent.token)));
    std::thread poster([&] {
        while (!stop) dispatcher.post(0), std::this_thread::yield();
    });
    std::thread runner([&] {
        while (!stop || dispatcher.run_one()) dispatcher.run_one();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(!native_pool_unregister(lent.pooled, 1));
    dispatcher.clear(0);
    CHECK(native_pool_unregister(lent.pooled, 60000));  // the listener asserts that it lives
    stop = true;
    poster.join(), runner.join();
}

int main() {
    CHECK_BEGIN();
    RUN(a_token_is_retained_by_copies_and_released_by_all);
    RUN(a_token_without_retain_has_a_count_of_its_own);
    RUN(a_count_beyond_all_reason_leaks_instead_of_freeing);
    RUN(any_lambda_can_carry_one_into_any_container);
    RUN(unregister_waits_for_the_last_copy_and_then_confirms);
    RUN(a_slot_that_was_confirmed_is_lent_again);
    RUN(a_null_pointer_gives_an_empty_function_and_ends_the_token);
    RUN(a_function_of_a_rust_closure_ends_with_its_last_copy);
    RUN(threads_that_copy_queue_and_call_end_each_token_once);
    RUN(a_pooled_function_under_traffic_is_never_called_after_unregister);
    return CHECK_END();
}
