// SPDX-License-Identifier: MIT OR Apache-2.0

// The foreign side: threads, destructors and handlers of C++ that call a bare function pointer.
#include <atomic>
#include <chrono>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

using function_t = int32_t (*)(int32_t);

namespace {

// Calls in when its thread's storage is torn down.
struct late {
    function_t function = nullptr;
    std::atomic<int32_t> *answer = nullptr;
    ~late() {
        if (function) answer->store(function(20));
    }
};

thread_local late before_first_call;
thread_local late after_first_call;

// Calls in when the program's statics are destroyed.
struct last {
    function_t function = nullptr;
    ~last() {
        if (function) {
            std::printf("static destructor %d\n", function(30));
            std::fflush(stdout);
        }
    }
};

last at_the_end;
function_t at_exit_function = nullptr;
std::jmp_buf way_out;

}  // namespace

extern "C" {

// One thread whose two thread_local objects call in from their destructors: one made before the
// thread's first call, one after. Returns the sum of their answers.
int32_t life_thread_local_destructors(function_t function) {
    std::atomic<int32_t> first{0}, second{0};
    std::thread([&] {
        before_first_call.answer = &first;
        before_first_call.function = function;
        function(1);
        after_first_call.answer = &second;
        after_first_call.function = function;
    }).join();
    return first + second;
}

// Threads that call for ever, and are never joined.
void life_start_callers(function_t function, int32_t threads, std::atomic<uint64_t> *calls) {
    for (int32_t i = 0; i < threads; i++) {
        std::thread([=] {
            for (int32_t n = 0;; n = (n + 1) & 0xffff) {
                if (function(n) != n + 1) std::abort();
                calls->fetch_add(1, std::memory_order_relaxed);
            }
        }).detach();
    }
}

// Calls from an atexit handler and from the destructor of a static.
void life_call_at_exit(function_t function) {
    at_the_end.function = function;
    at_exit_function = function;
    std::atexit([] {
        std::printf("atexit %d\n", at_exit_function(40));
        std::fflush(stdout);
    });
}

// Calls, and returns 1 where the callee leaves by life_jump_out instead of returning.
int32_t life_call_and_catch_jump(function_t function) {
    if (setjmp(way_out)) return 1;
    function(0);
    return 0;
}

void life_jump_out() { std::longjmp(way_out, 1); }

}  // extern "C"
