// SPDX-License-Identifier: MIT OR Apache-2.0

// Callbacks that cross between C++ and Rust, or C, or C#: ringback::Callback and ringback::Token.
//
// The one header to include: C++17 or later, with or without exceptions and RTTI. It needs ringback.h
// and no library.
//
// Owner     A Callback or a Token owns one reference. Copying adds one, destroying takes one away;
//           the maker hears of the last one exactly once. A C struct by value owns one reference
//           too: adopt() takes it over, into_c() and retained() give one away.
// Thread    As std::shared_ptr: different objects from different threads at once, one object only
//           for reading (a call reads). What a callback runs may run on any thread, many at once.
// Errors    Nothing thrown crosses the border. A C++ exception arrives at the other side as
//           RB_ERROR with its what(), a ringback::Error with its own status; a status other than
//           RB_OK arrives here as a ringback::Error, or from try_call as a Result. Without
//           exceptions, operator() and value() print the error and abort: use try_call.
#pragma once

#include "error.hpp"
#include "token.hpp"
#include "wire.hpp"

namespace ringback {
inline namespace RINGBACK_MODE {

template <class Signature>
class Callback;

// A counted callback, made here or elsewhere, to be called from any thread.
//
//     ringback::Callback<int32_t(bool)> on([door = std::move(door)](bool open) { .. });
//     rust_keeps(std::move(on).into_c<OnBool>());
//
//     auto rust = ringback::Callback<int32_t(bool)>::adopt(rust_gives());
//     std::function<int32_t(bool)> function = rust;
//
// Who calls holds a copy for the duration of the call; a program that may destroy the last copy
// inside its own call makes another one first.
template <class R, class... A>
class Callback<R(A...)> {
    static_assert(std::is_void_v<R> || detail::crosses<R>,
                  "C cannot carry this result: use an integer, float, bool, enum, raw pointer or "
                  "plain struct");
    static_assert((detail::crosses<A> && ...),
                  "C cannot carry one of these arguments: use integers, floats, bool, enums, raw "
                  "pointers (instead of references) and plain structs");
    using Wire = detail::Wire<R, A...>;

  public:
    // The type of `call` in a C struct of this signature.
    using Function = typename Wire::Function;

    Callback() noexcept = default;
    Callback(std::nullptr_t) noexcept {}

    // From any callable, also one that can only be moved. An empty std::function or a null pointer
    // gives an empty Callback. It is called on any thread, by many at once, so a callable that
    // changes itself needs a lock of its own. It is destroyed on the thread of the last release.
    template <class F, class Callable = std::decay_t<F>,
              class = std::enable_if_t<!std::is_same_v<Callable, Callback> &&
                                       detail::fits<Callable, R, A...>()>>
    Callback(F &&callable) {
        if constexpr (detail::nullable<std::remove_cv_t<std::remove_reference_t<F>>>) {
            if (!callable) return;
        }
        using Counted = detail::Counted<Callable>;
        hold(new Counted{{1}, std::forward<F>(callable)}, &Wire::template invoke<Callable>);
    }

    Callback(const Callback &) = default;
    Callback(Callback &&other) noexcept
        : call_(std::exchange(other.call_, nullptr)),
          context_(std::exchange(other.context_, nullptr)),
          token_(std::move(other.token_)) {}
    Callback &operator=(Callback other) noexcept {
        std::swap(call_, other.call_);
        std::swap(context_, other.context_);
        token_.swap(other.token_);
        return *this;
    }

    // Takes over the reference of a struct that was passed by value. Throws Error(RB_INVALID) if
    // the struct is not valid, and the text says the remedy; the reference is taken away even then, if
    // size and version are right. A struct without `retain` can be copied all the same: the copies
    // share its reference.
    template <class Struct>
    static Callback adopt(Struct given) {
        return try_adopt(given).value();
    }
    template <class Struct>
    static Result<Callback> try_adopt(Struct given) {
        detail::assert_struct<Struct, R, A...>();
        if (const char *wrong = detail::complaint(given.size, given.abi, given.call != nullptr,
                                                  given.retain != nullptr,
                                                  given.release != nullptr)) {
            const bool readable = given.size == sizeof(rb_callback_t) && given.abi == RB_ABI;
            if (readable && given.release) given.release(given.context);
            return Failure{RB_INVALID, wrong};
        }
        Callback adopted;
        adopted.token_ = Token(given.context, given.retain, given.release);
        adopted.context_ = given.context;
        adopted.call_ = reinterpret_cast<Function>(reinterpret_cast<void (*)()>(given.call));
        return adopted;
    }

    // Gives the reference away as a struct by value, to be passed to a function that takes one. An
    // empty Callback gives the empty struct, which the other side refuses.
    template <class Struct = rb_callback_t>
    Struct into_c() && {
        detail::assert_struct<Struct, R, A...>();
        Struct given{};
        if (!call_) return given;
        if (token_ && token_.context_ != context_) {
            using Counted = detail::Counted<Callback>;
            auto *counted = new Counted{{1}, Callback()};
            counted->value = std::move(*this);
            hold(counted, &Wire::template forward<Callback>);
        }
        given.size = sizeof(rb_callback_t);
        given.abi = RB_ABI;
        given.call = reinterpret_cast<decltype(given.call)>(
            reinterpret_cast<void (*)()>(std::exchange(call_, nullptr)));
        given.context = std::exchange(context_, nullptr);
        given.retain = std::exchange(token_.retain_, nullptr);
        given.release = std::exchange(token_.release_, nullptr);
        return given;
    }
    // Gives a new reference away, and keeps its own.
    template <class Struct = rb_callback_t>
    Struct retained() const {
        return Callback(*this).template into_c<Struct>();
    }

    // As a std::function, empty if this is. (A Callback also converts by itself, being callable.)
    std::function<R(A...)> to_function() && {
        if (!call_) return nullptr;
        return std::move(*this);
    }
    std::function<R(A...)> to_function() const & { return Callback(*this).to_function(); }

    explicit operator bool() const noexcept { return call_ != nullptr; }

    // Calls. Throws Error for every status but RB_OK, and RB_INVALID if this is empty.
    R operator()(A... args) const {
        if (!call_) detail::raise_empty();
        detail::Out<R> out;
        rb_error_t error;
        const rb_status_t status = call(out, error, args...);
        if (status != RB_OK) detail::raise(status, error);
        return out.value();
    }

    // Calls, and answers the result or why there is none.
    Result<R> try_call(A... args) const {
        if (!call_) return detail::empty();
        detail::Out<R> out;
        rb_error_t error;
        const rb_status_t status = call(out, error, args...);
        if (status != RB_OK) return detail::received(status, error);
        if constexpr (std::is_void_v<R>) {
            return {};
        } else {
            return out.value();
        }
    }

  private:
    friend Wire;

    template <class Counted>
    void hold(Counted *counted, Function function) noexcept {
        call_ = function;
        context_ = counted;
        token_ = Token(counted, &Counted::retain, &Counted::release, 0);
    }

    rb_status_t call([[maybe_unused]] detail::Out<R> &out, rb_error_t &error, A... args) const {
        error.text = nullptr;
        if constexpr (std::is_void_v<R>) {
            return call_(context_, args..., &error);
        } else {
            return call_(context_, args..., out.pointer(), &error);
        }
    }

    Function call_ = nullptr;
    void *context_ = nullptr;
    Token token_;
};

}  // inline namespace
}  // namespace ringback
