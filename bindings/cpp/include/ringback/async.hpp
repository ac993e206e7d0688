// SPDX-License-Identifier: MIT OR Apache-2.0

// Asynchronous callbacks: a call that starts work, whose outcome arrives later, on any thread.
//
// Owner     A Completion owns the caller's one wish to be told: it is used once, or dropped, which
//           tells that the work was cancelled. A Task owns the right to cancel, not the work.
// Thread    As ringback.hpp says. An outcome may arrive on any thread, and before start() returns.
// Errors    As ringback.hpp says; what goes wrong before the work has started is start()'s own.
#pragma once

#include "ringback.hpp"

#include <future>
#include <memory>

namespace ringback {
inline namespace RINGBACK_MODE {

// Work that a call has started. Destroying it lets go of the work, which goes on.
class Task {
  public:
    Task() noexcept : task_{} {}
    explicit Task(rb_task_t given) noexcept : task_(given) {}
    Task(Task &&other) noexcept : task_(std::exchange(other.task_, rb_task_t{})) {}
    Task &operator=(Task other) noexcept {
        std::swap(task_, other.task_);
        return *this;
    }
    ~Task() {
        if (task_.release) task_.release(task_.context);
    }

    // Asks the work to end early. The outcome still arrives, usually as RB_CANCELLED.
    void cancel() const noexcept {
        if (task_.cancel) task_.cancel(task_.context);
    }

  private:
    rb_task_t task_;
};

namespace detail {

template <class R>
using Value = std::conditional_t<std::is_void_v<R>, void, R>;
template <class R>
using Done = Callback<void(rb_status_t outcome, const Value<R> *value, const rb_error_t *why)>;

// What a caller waits with: told once, at the latest by its destructor.
template <class R, class F>
class Waiting {
  public:
    explicit Waiting(F function) : function_(std::move(function)) {}
    Waiting(const Waiting &) = delete;
    Waiting &operator=(const Waiting &) = delete;
    ~Waiting() {
        guarded(nullptr, [this] { return tell(Failure{RB_CANCELLED, ""}); });
    }

    Result<void> finish(rb_status_t outcome, const Value<R> *value, const rb_error_t *why) {
        rb_status_t told;
        if (outcome != RB_OK) {
            const bool text = why && why->text;
            told = tell(Failure{outcome, text ? std::string(why->text, why->length) : std::string()});
        } else if constexpr (std::is_void_v<R>) {
            told = tell({});
        } else if (value) {
            told = tell(*value);
        } else {
            return Failure{RB_INVALID, "completed as RB_OK, but without a value"};
        }
        if (told == RB_OK) return {};
        return Failure{told, "completed a second time"};
    }

    void forget() noexcept { told_ = true; }

  private:
    rb_status_t tell(Result<R> result) {
        if (told_.exchange(true)) return RB_INVALID;
        function_(std::move(result));
        return RB_OK;
    }

    F function_;
    std::atomic<bool> told_{false};
};

}  // namespace detail

// How a C++ callable tells the outcome of the work that it was asked for: once, on any thread.
template <class R>
class Completion {
  public:
    explicit Completion(detail::Done<R> done) noexcept : done_(std::move(done)) {}

    // Tells the outcome, and is empty then. The answer says what was wrong with it, if anything.
    Result<void> operator()(Result<R> result) {
        auto done = std::exchange(done_, nullptr);
        if (!result) {
            const Failure &failure = result.failure();
            const rb_error_t why{failure.text.data(), failure.text.size(), nullptr, nullptr};
            return done.try_call(failure.status == RB_OK ? RB_ERROR : failure.status, nullptr, &why);
        }
        if constexpr (std::is_void_v<R>) {
            return done.try_call(RB_OK, nullptr, nullptr);
        } else {
            const R value = std::move(result).value();
            return done.try_call(RB_OK, &value, nullptr);
        }
    }
    explicit operator bool() const noexcept { return static_cast<bool>(done_); }

  private:
    detail::Done<R> done_;
};

template <class Signature>
class AsyncCallback;

// A counted asynchronous callback; in Rust, callback_type!(pub struct Fetch: async fn(id: u32) -> i64).
//
//     auto fetch = ringback::AsyncCallback<int64_t(uint32_t)>::adopt(rust_gives());
//     int64_t value = fetch.get(7).get();                                           // a std::future
//     ringback::Task task = fetch.start(7, [](ringback::Result<int64_t> result) { .. });
//
//     ringback::AsyncCallback<int64_t(uint32_t)> mine(
//         [](uint32_t id, ringback::Completion<int64_t> done) { queue.push({id, std::move(done)}); });
//     rust_keeps(std::move(mine).into_c<Fetch>());
template <class R, class... A>
class AsyncCallback<R(A...)> {
    using Start = Callback<rb_task_t(A..., rb_callback_t done)>;

  public:
    AsyncCallback() noexcept = default;

    // From a callable that takes the arguments and a Completion<R>. It answers nothing, or a callable
    // that cancels: that is called on any thread, any number of times, also after the end. It may
    // throw, but not after it has used the Completion.
    template <class F, class Callable = std::decay_t<F>,
              class = std::enable_if_t<!std::is_same_v<Callable, AsyncCallback> &&
                                       std::is_invocable_v<Callable &, A..., Completion<R>>>>
    AsyncCallback(F &&callable)
        : start_([callable = std::forward<F>(callable)](A... args, rb_callback_t done) mutable {
              Completion<R> completion(detail::Done<R>::adopt(done));
              using Cancel = std::invoke_result_t<Callable &, A..., Completion<R>>;
              if constexpr (std::is_void_v<Cancel>) {
                  std::invoke(callable, args..., std::move(completion));
                  return rb_task_t{};
              } else {
                  using Counted = detail::Counted<Cancel>;
                  auto *cancel =
                      new Counted{{1}, std::invoke(callable, args..., std::move(completion))};
                  return rb_task_t{cancel, &cancels<Cancel>, &Counted::release};
              }
          }) {}

    // As Callback's.
    template <class Struct>
    static AsyncCallback adopt(Struct given) {
        return AsyncCallback(Start::adopt(given), 0);
    }
    template <class Struct = rb_callback_t>
    Struct into_c() && {
        return std::move(start_).template into_c<Struct>();
    }
    template <class Struct = rb_callback_t>
    Struct retained() const {
        return start_.template retained<Struct>();
    }
    explicit operator bool() const noexcept { return static_cast<bool>(start_); }

    // Starts the work. `function` is called once with its Result<R>, on any thread, perhaps before
    // this returns; not if this fails. A Completion that is dropped counts as RB_CANCELLED.
    template <class F>
    Result<Task> try_start(A... args, F function) const {
        if (!start_) return detail::empty();
        using Waiting = detail::Waiting<R, F>;
        auto owned = std::make_unique<Waiting>(std::move(function));
        Waiting *waiting = owned.get();
        // Kept until the call has returned, so that a refusal is told once, by the call.
        const detail::Done<R> done([waiting = std::move(owned)](auto... outcome) {
            return waiting->finish(outcome...);
        });
        Result<rb_task_t> started = start_.try_call(args..., done.retained());
        if (started) return Task(std::move(started).value());
        waiting->forget();
        return started.failure();
    }
    template <class F>
    Task start(A... args, F function) const {
        return try_start(args..., std::move(function)).value();
    }

#if RINGBACK_EXCEPTIONS
    // Starts the work and lets it run; its outcome is the future's. A failure is an Error.
    std::future<R> get(A... args) const {
        std::promise<R> promise;
        std::future<R> future = promise.get_future();
        start(args..., [promise = std::move(promise)](Result<R> result) mutable {
            if (!result) {
                const Failure &failure = result.failure();
                promise.set_exception(std::make_exception_ptr(Error(failure.status, failure.text)));
            } else if constexpr (std::is_void_v<R>) {
                promise.set_value();
            } else {
                promise.set_value(std::move(result).value());
            }
        });
        return future;
    }
#endif

  private:
    AsyncCallback(Start start, int) noexcept : start_(std::move(start)) {}

    template <class Cancel>
    static void cancels(void *context) noexcept {
        detail::guarded(nullptr, [context] {
            static_cast<detail::Counted<Cancel> *>(context)->value();
            return RB_OK;
        });
    }

    Start start_;
};

}  // inline namespace
}  // namespace ringback
