// SPDX-License-Identifier: MIT OR Apache-2.0

// The callback ABI as C++ types: what may cross, the functions that cross, the struct's checks.
#pragma once

#include "error.hpp"
#include "token.hpp"

#include <cstdint>

static_assert(RB_ABI == 1, "ringback.hpp is for version 1 of ringback.h: update both together");
static_assert(sizeof(bool) == 1, "the callback ABI needs a bool of one byte");
static_assert(sizeof(rb_callback_t) == 8 + 4 * sizeof(void *));
static_assert(offsetof(rb_callback_t, size) == 0 && offsetof(rb_callback_t, abi) == 4);
static_assert(offsetof(rb_callback_t, call) == 8);
static_assert(offsetof(rb_callback_t, context) == 8 + sizeof(void *));
static_assert(offsetof(rb_callback_t, retain) == 8 + 2 * sizeof(void *));
static_assert(offsetof(rb_callback_t, release) == 8 + 3 * sizeof(void *));
static_assert(sizeof(rb_error_t) == 4 * sizeof(void *) && offsetof(rb_error_t, text) == 0);
static_assert(offsetof(rb_error_t, length) == sizeof(void *));
static_assert(offsetof(rb_error_t, owner) == 2 * sizeof(void *));
static_assert(offsetof(rb_error_t, release) == 3 * sizeof(void *));
static_assert(sizeof(rb_token_t) == 3 * sizeof(void *) && offsetof(rb_token_t, context) == 0);
static_assert(offsetof(rb_token_t, retain) == sizeof(void *));
static_assert(offsetof(rb_token_t, release) == 2 * sizeof(void *));
static_assert(sizeof(rb_task_t) == 3 * sizeof(void *) && offsetof(rb_task_t, context) == 0);
static_assert(offsetof(rb_task_t, cancel) == sizeof(void *));
static_assert(offsetof(rb_task_t, release) == 2 * sizeof(void *));

namespace ringback {
inline namespace RINGBACK_MODE {

namespace detail {

// What C can carry by value.
template <class T>
constexpr bool crosses = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> &&
                         !std::is_reference_v<T> && !std::is_array_v<T> &&
                         !std::is_member_pointer_v<T> && !std::is_null_pointer_v<T> &&
                         !std::is_same_v<std::remove_cv_t<T>, long double>;

// Room for a result, not yet made.
template <class R>
struct Out {
    alignas(R) unsigned char bytes[sizeof(R)];
    R *pointer() noexcept { return reinterpret_cast<R *>(bytes); }
    R value() noexcept { return *std::launder(pointer()); }
};
template <>
struct Out<void> {
    void value() noexcept {}
};

// Runs a C++ callable and writes its result to *out; for R = void, out is null.
template <class R, class F, class... A>
rb_status_t run(F &callable, [[maybe_unused]] R *out, rb_error_t *error, A &&...args) noexcept {
    return guarded(error, [&]() -> rb_status_t {
        if constexpr (std::is_same_v<std::invoke_result_t<F &, A...>, Result<R>>) {
            Result<R> result = std::invoke(callable, std::forward<A>(args)...);
            if (!result) return answer(error, result.failure());
            if constexpr (!std::is_void_v<R>) ::new (out) R(std::move(result).value());
        } else if constexpr (std::is_void_v<R>) {
            std::invoke(callable, std::forward<A>(args)...);
        } else {
            ::new (out) R(std::invoke(callable, std::forward<A>(args)...));
        }
        return RB_OK;
    });
}

// The functions as the ABI has them. `invoke` leads to a Counted<F>; `forward` to a counted
// Callback, whose own reference cannot be counted by its maker.
template <class R, class... A>
struct Wire {
    using Function = rb_status_t (*)(void *context, A... args, R *out, rb_error_t *error);

    template <class F>
    static rb_status_t invoke(void *context, A... args, R *out, rb_error_t *error) noexcept {
        return run<R>(static_cast<Counted<F> *>(context)->value, out, error,
                      std::forward<A>(args)...);
    }
    template <class Callback>
    static rb_status_t forward(void *context, A... args, R *out, rb_error_t *error) noexcept {
        auto &inner = static_cast<Counted<Callback> *>(context)->value;
        return inner.call_(inner.context_, args..., out, error);
    }
};

template <class... A>
struct Wire<void, A...> {
    using Function = rb_status_t (*)(void *context, A... args, rb_error_t *error);

    template <class F>
    static rb_status_t invoke(void *context, A... args, rb_error_t *error) noexcept {
        return run<void>(static_cast<Counted<F> *>(context)->value, nullptr, error,
                         std::forward<A>(args)...);
    }
    template <class Callback>
    static rb_status_t forward(void *context, A... args, rb_error_t *error) noexcept {
        auto &inner = static_cast<Counted<Callback> *>(context)->value;
        return inner.call_(inner.context_, args..., error);
    }
};

// Whether one parameter of a struct's `call` is what it should be. Each generator of headers chooses
// its own names for the ABI's structs, so those are compared by their size alone.
template <class Found, class Expected>
struct IsParameter : std::is_same<Found, Expected> {};
template <class Found>
struct IsParameter<Found *, rb_error_t *> : std::true_type {};
template <class Found>
struct IsParameter<Found *, const rb_error_t *> : std::is_const<Found> {};
template <class Found>
struct IsParameter<Found *, rb_task_t *> : std::bool_constant<sizeof(Found) == sizeof(rb_task_t)> {};
template <class Found>
struct IsParameter<Found, rb_callback_t>
    : std::bool_constant<std::is_class_v<Found> && sizeof(Found) == sizeof(rb_callback_t)> {};

// Whether a struct's `call` is of this wire type. rb_callback_t has no typed call, and is trusted.
template <class Call, class Function>
struct HasWire : std::is_same<Call, void (*)()> {};
template <class... Found, class... Expected>
struct HasWire<rb_status_t (*)(Found...), rb_status_t (*)(Expected...)> {
    template <bool SameCount, class>
    struct All : std::false_type {};
    template <class Unused>
    struct All<true, Unused> : std::conjunction<IsParameter<Found, Expected>...> {};
    static constexpr bool value = All<sizeof...(Found) == sizeof...(Expected), void>::value;
};

template <class Struct, class R, class... A>
constexpr void assert_struct() {
    static_assert(std::is_standard_layout_v<Struct> && sizeof(Struct) == sizeof(rb_callback_t) &&
                      offsetof(Struct, call) == offsetof(rb_callback_t, call) &&
                      offsetof(Struct, release) == offsetof(rb_callback_t, release),
                  "this is not a callback struct: use one made by callback_type! in Rust, by "
                  "RB_CALLBACK_TYPE in C, or rb_callback_t");
    static_assert(HasWire<decltype(Struct::call), typename Wire<R, A...>::Function>::value,
                  "the struct's call has another signature than this Callback: give the Callback "
                  "the struct's argument types and result");
}

// What is wrong with a struct, and the remedy; null if nothing is.
inline const char *complaint(std::uint32_t size, std::uint32_t abi, bool call, bool retain,
                             bool release) noexcept {
    if (size == 0 && abi == 0) return "the callback is empty (all zero)";
    if (size != sizeof(rb_callback_t)) {
        return "the callback's size is wrong: set it to sizeof(rb_callback_t)";
    }
    if (abi != RB_ABI) {
        return "the callback's abi is not RB_ABI: rebuild both sides with one ringback.h";
    }
    if (!call) return "the callback's call is null: there is nothing to call";
    if (retain && !release) {
        return "the callback has retain but no release: it would never be freed";
    }
    return nullptr;
}

template <class T>
constexpr bool nullable =
    std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
    (std::is_constructible_v<T, std::nullptr_t> && std::is_constructible_v<bool, T>);

template <class F, class R, class... A>
constexpr bool fits() {
    if constexpr (std::is_invocable_v<F &, A...>) {
        return std::is_invocable_r_v<R, F &, A...> ||
               std::is_same_v<std::invoke_result_t<F &, A...>, Result<R>>;
    }
    return false;
}

}  // namespace detail

}  // inline namespace
}  // namespace ringback
