// SPDX-License-Identifier: MIT OR Apache-2.0

// Work that is started by a call and ends later: Rust's for C++, and C++'s for Rust.
#include "support.hpp"

#include <ringback/async.hpp>

#include <chrono>

using RustFetch = ringback::AsyncCallback<double(std::uint32_t, double)>;
using RustFlush = ringback::AsyncCallback<void()>;
using Completion = ringback::Completion<double>;

// Waits for a result that may come on another thread.
class Inbox {
  public:
    auto take() {
        return [this](ringback::Result<double> result) {
            CHECK(count_++ == 0);
            promise_.set_value(std::move(result));
        };
    }
    ringback::Result<double> wait() { return promise_.get_future().get(); }
    bool is_empty() const { return count_ == 0; }

  private:
    std::promise<ringback::Result<double>> promise_;
    std::atomic<int> count_{0};
};

static void a_rust_task_tells_its_result_once() {
    auto fetch = RustFetch::adopt(native_fetch());
    Inbox first, second;
    ringback::Task one = fetch.start(4, 1.5, first.take());
    ringback::Task two = fetch.start(0, 1.5, second.take());
    CHECK(first.wait().value() == 6.0);
    auto failed = second.wait();
    CHECK(failed.status() == RB_ERROR && failed.failure().text == "there is no 0");
    Inbox third;
    fetch.start(1, 1.0, third.take());
    auto panicked = third.wait();
    CHECK(panicked.status() == RB_PANIC && panicked.failure().text == "never ask for 1");
}

static void a_rust_task_is_cancelled_on_request() {
    auto fetch = RustFetch::adopt(native_fetch());
    Inbox inbox;
    ringback::Task task = fetch.start(2, 1.0, inbox.take()), moved = std::move(task);
    task.cancel();  // moved from: nothing
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(inbox.is_empty());
    moved.cancel();
    moved.cancel();
    CHECK(inbox.wait().status() == RB_CANCELLED);
}

static void a_task_may_end_before_start_returns() {
    bool ended = false;
    auto flush = RustFlush::adopt(native_flush());
    flush.start([&ended](ringback::Result<void> result) { ended = static_cast<bool>(result); });
    CHECK(ended);
}

static Answer await(RustFetch fetch, std::uint32_t id, double scale) {
    rb_error_t error{};
    Answer answer{RB_OK, 0, ""};
    double out = -77;
    answer.status =
        native_await_fetch(std::move(fetch).into_c<Fetch>(), id, scale, &out, &error);
    if (error.text) answer.text.assign(error.text, error.length);
    rb_error_clear(&error);
    answer.value = static_cast<std::int64_t>(out);
    return answer;
}

static void rust_awaits_a_task_of_cpp() {
    std::atomic<int> alive{0};
    RustFetch at_once([witness = Witness(alive)](std::uint32_t id, double scale, Completion done) {
        CHECK(done(id * scale));
        CHECK(!done && !done(1.0));  // only once
    });
    CHECK(await(at_once, 21, 2.0).value == 42);
    RustFetch later([witness = Witness(alive)](std::uint32_t id, double scale, Completion done) {
        std::thread([=, done = std::move(done)]() mutable {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            if (id == 0) return;  // dropped
            if (id == 1) return void(done(ringback::Failure{RB_REJECTED, "one"}));
            done(id * scale);
        }).detach();
    });
    CHECK(await(later, 7, 3.0).value == 21);
    CHECK(await(later, 0, 3.0).status == RB_CANCELLED);
    const Answer failed = await(later, 1, 3.0);
    CHECK(failed.status == RB_REJECTED && failed.text == "one" && failed.value == -77);
    at_once = RustFetch(), later = RustFetch();
    CHECK(alive == 0);
    RustFlush flush([](ringback::Completion<void> done) { done({}); });
    CHECK(native_await_flush(std::move(flush).into_c<Flush>()) == RB_OK);
}

static void rust_cancels_a_task_of_cpp() {
    std::atomic<int> cancels{0}, alive{0};
    std::atomic<bool> done_is_used{false};
    RustFetch fetch([&](std::uint32_t, double, Completion done) {
        auto held = std::make_shared<Completion>(std::move(done));
        return [&, held, witness = Witness(alive)] {
            // The first outcome, so it is taken, though nobody waits for it any more.
            CHECK(cancels++ == 0 && (*held)(ringback::Failure{RB_CANCELLED, "asked"}));
            done_is_used = !*held;
        };
    });
    native_abandon_fetch(std::move(fetch).into_c<Fetch>(), 3);
    CHECK(cancels == 1 && done_is_used && alive == 0);
}

static void a_round_through_rust_keeps_outcome_and_text() {
    // C++ starts a task of Rust that starts a task of C++.
    RustFetch inner([](std::uint32_t id, double, Completion done) {
        done(ringback::Failure{1000, "number " + std::to_string(id)});
    });
    const Answer answer = await(RustFetch::adopt(inner.retained<Fetch>()), 5, 1.0);
    CHECK(answer.status == 1000 && answer.text == "number 5");
}

static void what_cannot_start_is_told_by_the_call_alone() {
    Inbox inbox;
    auto refused = RustFetch().try_start(1, 1.0, inbox.take());
    CHECK(refused.status() == RB_INVALID && inbox.is_empty());
#if RINGBACK_EXCEPTIONS
    RustFetch throws([](std::uint32_t id, double, Completion) {
        if (id == 3) throw std::runtime_error("not 3");
    });
    Inbox second;
    auto result = throws.try_start(3, 1.0, second.take());
    CHECK(result.status() == RB_ERROR && result.failure().text == "not 3" && second.is_empty());
    const Answer answer = await(throws, 3, 1.0);
    CHECK(answer.status == RB_ERROR && answer.text == "not 3");
    CHECK(await(throws, 4, 1.0).status == RB_CANCELLED);  // dropped its Completion
#endif
}

#if RINGBACK_EXCEPTIONS
static void a_future_holds_the_result_or_the_error() {
    auto fetch = RustFetch::adopt(native_fetch());
    CHECK(fetch.get(10, 0.5).get() == 5.0);
    RustFlush::adopt(native_flush()).get().get();
    try {
        fetch.get(0, 1.0).get();
        CHECK(!"nothing was thrown");
    } catch (const ringback::Error &error) {
        CHECK(error.status() == RB_ERROR && std::strcmp(error.what(), "there is no 0") == 0);
    }
}
#endif

static void a_thousand_tasks_end_once_each() {
    auto fetch = RustFetch::adopt(native_fetch());
    std::atomic<int> ended{0};
    std::promise<void> all;
    for (std::uint32_t i = 0; i < 1000; i++) {
        auto count = [&](ringback::Result<double> result) {
            CHECK(result && std::move(result).value() == 5.0);
            if (++ended == 1000) all.set_value();
        };
        if (i % 2) {
            fetch.start(10, 0.5, count);
        } else {
            RustFetch mine([](std::uint32_t id, double scale, Completion done) { done(id * scale); });
            mine.start(10, 0.5, count);
        }
    }
    all.get_future().wait();
    CHECK(ended == 1000);
}

int main() {
    CHECK_BEGIN();
    RUN(a_rust_task_tells_its_result_once);
    RUN(a_rust_task_is_cancelled_on_request);
    RUN(a_task_may_end_before_start_returns);
    RUN(rust_awaits_a_task_of_cpp);
    RUN(rust_cancels_a_task_of_cpp);
    RUN(a_round_through_rust_keeps_outcome_and_text);
    RUN(what_cannot_start_is_told_by_the_call_alone);
#if RINGBACK_EXCEPTIONS
    RUN(a_future_holds_the_result_or_the_error);
#endif
    RUN(a_thousand_tasks_end_once_each);
    return CHECK_END();
}
