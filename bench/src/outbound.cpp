// SPDX-License-Identifier: MIT OR Apache-2.0

// The C++ side of the suite `outbound`: a callable that multiplies by a captured number, in every
// form in which Rust can have it, and the loop that calls a std::function.
#include <ringback/ringback.hpp>

#include <atomic>
#include <cstdint>
#include <functional>

using Signature = int64_t(int64_t);

static std::function<Signature> native(int64_t factor) {
    return [factor](int64_t value) { return factor * value; };
}

extern "C" {

// A bare function and its user data: what C interfaces have.
int64_t bench_raw(void *context, int64_t value) { return *static_cast<int64_t *>(context) * value; }

rb_callback_t bench_callback(int64_t factor) {
    ringback::Callback<Signature> callback([factor](int64_t value) { return factor * value; });
    return std::move(callback).into_c();
}

// Adds up `calls` answers of a std::function around `given`, or of a native one.
int64_t bench_call_function(const rb_callback_t *given, int64_t factor, int64_t calls) {
    std::function<Signature> function = native(factor);
    if (given != nullptr) {
        given->retain(given->context);
        function = ringback::Callback<Signature>::adopt(*given).to_function();
    }
    // The optimiser must not see which of the two it is.
    std::function<Signature> *volatile hidden = &function;
    const std::function<Signature> &call = *hidden;
    int64_t sum = 0;
    for (int64_t i = 0; i < calls; i++) sum += call(i);
    return sum;
}

// What happens to an object in a storm, told by the object's own memory, which is never freed.
struct bench_witness {
    std::atomic<int64_t> references{1};
    std::atomic<int64_t> releases{0};
    std::atomic<int64_t> after_release{0};
};

static rb_status_t witness_call(void *context, int64_t value, int64_t *out, rb_error_t *) {
    auto *witness = static_cast<bench_witness *>(context);
    if (witness->references.load() <= 0) witness->after_release++;
    *out = value;
    return RB_OK;
}
static void witness_retain(void *context) { static_cast<bench_witness *>(context)->references++; }
static void witness_release(void *context) {
    auto *witness = static_cast<bench_witness *>(context);
    if (--witness->references <= 0) witness->releases++;
}

rb_callback_t bench_witnessed(bench_witness **witness) {
    *witness = new bench_witness;
    rb_callback_t callback{};
    callback.size = sizeof(rb_callback_t);
    callback.abi = RB_ABI;
    callback.call = reinterpret_cast<void (*)()>(witness_call);
    callback.context = *witness;
    callback.retain = witness_retain;
    callback.release = witness_release;
    return callback;
}
int64_t bench_releases(const bench_witness *witness) { return witness->releases; }
int64_t bench_after_release(const bench_witness *witness) { return witness->after_release; }
}
