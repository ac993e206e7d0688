// SPDX-License-Identifier: MIT OR Apache-2.0

// What is released or called after main has ended. Each case is a process of its own, which writes
// what happens; the parent compares.
#include "support.hpp"

#include <csignal>
#include <sys/wait.h>

static void say(const char *text) {
    if (write(STDOUT_FILENO, text, std::strlen(text)) < 0) std::abort();
}

// Says when it is destroyed.
struct Says {
    const char *text;
    explicit Says(const char *what) : text(what) {}
    Says(Says &&other) noexcept : text(std::exchange(other.text, nullptr)) {}
    ~Says() {
        if (text) say(text);
    }
};

static Value saying(const char *text) {
    return [says = Says(text)](std::int64_t value) { return value; };
}

// Holds what is to be released by a static destructor, and says what it does.
struct AtTheEnd {
    Value rust;
    Keep kept;
    Value mine;
    std::size_t drops = 0;
    bool armed = false;

    ~AtTheEnd() {
        if (!armed) return;
        say(rust(2) == 42 && call(kept, 3).value == 3 ? "called;" : "not called;");
        if (rust.try_call(2)) rust = nullptr;
        say(native_drops() == drops + 1 ? "rust dropped;" : "rust not dropped;");
        native_drop_elsewhere(kept.release());
        mine = nullptr;
    }
};
static AtTheEnd at_the_end;

static void fill_static() {
    at_the_end.rust = Value::adopt(native_adder(40));
    at_the_end.kept = keep(saying("kept released;"));
    at_the_end.mine = saying("mine released;");
    at_the_end.drops = native_drops();
    at_the_end.armed = true;
    say("main;");
}

static void in_atexit() {
    static Keep kept = keep(saying("static released;"));
    std::atexit([] {
        say("atexit;");
        std::int64_t out = 0;
        if (native_call_shelved(6, &out, nullptr) == RB_OK && out == 6) say("called;");
        native_clear_shelf();
    });
    native_shelve(saying("shelf released;").into_c<OnValue>());
    say("main;");
}

// Rust statics are not destroyed: what is left in one is not released, and nothing goes wrong.
static void left_in_a_rust_static() {
    native_shelve(saying("released;").into_c<OnValue>());
    say("main;");
}

static void in_thread_local_destructors() {
    std::thread([] {
        thread_local struct Last {
            Value rust = Value::adopt(native_adder(1));
            Keep kept;
            ~Last() {
                say(rust(1) == 2 && call(kept, 5).value == 5 ? "called;" : "not called;");
                kept.reset();
            }
        } last;
        last.kept = keep(saying("released;"));
        say("thread;");
    }).join();
    say("main;");
}

// A thread that calls and releases while the process exits.
static void from_a_thread_that_outlives_main() {
    static std::atomic<bool> started{false};
    std::thread([rust = Value::adopt(native_adder(1)), kept = keep(saying(""))] {
        for (;;) {
            Value copy = rust;
            if (copy(1) != 2 || call(kept, 7).value != 7) say("wrong;");
            started = true;
        }
    }).detach();
    while (!started) std::this_thread::yield();
    say("main;");
}

[[maybe_unused]] static void without_exceptions_an_error_ends_the_process() {
    Value picky = Value::adopt(native_picky());
    say("main;");
    picky(-1);
    say("went on;");
}

struct Case {
    const char *name;
    void (*body)();
    const char *output;
    bool aborts;
};

static const Case cases[] = {
    {"static", fill_static, "main;called;rust dropped;kept released;mine released;", false},
    {"atexit", in_atexit, "main;atexit;called;shelf released;static released;", false},
    {"rust-static", left_in_a_rust_static, "main;", false},
    {"thread-local", in_thread_local_destructors, "thread;called;released;main;", false},
    {"outlives", from_a_thread_that_outlives_main, "main;", false},
#if !RINGBACK_EXCEPTIONS
    {"error", without_exceptions_an_error_ends_the_process, "main;", true},
#endif
};

static void run_as_a_process(const char *program, const Case &one) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl(program, program, one.name, nullptr);
        _exit(127);
    }
    close(ends[1]);
    std::string output;
    char buffer[256];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) output.append(buffer, got);
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    const bool ended = one.aborts ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT
                                  : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    CHECK(ended);
    CHECK(output == one.output);
    if (!ended || output != one.output)
        std::fprintf(stderr, "%s: %s, status %d\n", one.name, output.c_str(), status);
}

int main(int count, char **arguments) {
    CHECK_BEGIN();
    if (count > 1) {
        for (const Case &one : cases)
            if (std::strcmp(one.name, arguments[1]) == 0) return one.body(), 0;
        return 2;
    }
    for (const Case &one : cases) check_tests++, run_as_a_process(arguments[0], one);
    return CHECK_END();
}
