// SPDX-License-Identifier: MIT OR Apache-2.0

/* C callbacks kept by Rust, and Rust closures kept by C. */
#include "check.h"
#include "native.h"

#include <pthread.h>

typedef struct {
    int64_t factor;
    long calls;
} State;

static int drops;
static pthread_t dropped_on;
static void count_drop(void *state) {
    (void)state;
    __atomic_fetch_add(&drops, 1, __ATOMIC_SEQ_CST);
    dropped_on = pthread_self();
}

static rb_status_t multiply(void *context, int64_t value, int64_t *out, rb_error_t *error) {
    State *state = context;
    __atomic_fetch_add(&state->calls, 1, __ATOMIC_RELAXED);
    if (value < 0) return rb_error_set(error, "negative");
    if (value == INT64_MAX) return 1234; /* a status without a name */
    *out = value * state->factor;
    return RB_OK;
}

static OnValue multiplier(int64_t factor) {
    State *state = rb_counted_new(sizeof *state, count_drop);
    OnValue on = RB_CALLBACK_INIT(multiply, state, rb_counted_retain, rb_counted_release);
    state->factor = factor;
    drops = 0;
    return on;
}

static void rust_keeps_calls_and_releases_a_c_callback(void) {
    rb_error_t error = {0};
    Kept *kept = native_keep(multiplier(3), &error), *clone;
    int64_t out = 0;
    CHECK(kept && !error.text);
    CHECK(native_call(kept, 14, &out, &error) == RB_OK && out == 42);
    clone = native_clone(kept);
    native_drop(kept);
    CHECK(drops == 0);
    CHECK(native_call(clone, 2, &out, NULL) == RB_OK && out == 6);
    native_drop(clone);
    CHECK(drops == 1);
    CHECK(pthread_equal(dropped_on, pthread_self()));
}

static void errors_of_c_reach_rust_with_text_and_status(void) {
    Kept *kept = native_keep(multiplier(3), NULL);
    rb_error_t error = {0};
    int64_t out = 77;
    CHECK(native_call(kept, -1, &out, &error) == RB_ERROR && out == 77);
    CHECK_TEXT(error, "negative");
    rb_error_clear(&error);
    CHECK(native_call(kept, INT64_MAX, &out, &error) == 1234 && out == 77);
    rb_error_clear(&error);
    native_drop(kept);
}

static void the_last_release_may_come_from_another_thread(void) {
    native_drop_elsewhere(native_keep(multiplier(1), NULL));
    CHECK(drops == 1);
    CHECK(!pthread_equal(dropped_on, pthread_self()));
}

static void many_rust_threads_call_at_once(void) {
    OnValue on = multiplier(2);
    State *state = on.context;
    CHECK(RB_RETAIN(&on) == RB_OK);
    Kept *kept = native_keep(on, NULL);
    CHECK(native_storm((const Kept *const *)&kept, 1, 4, 10000) == 4LL * 2 * (10000LL * 9999 / 2));
    native_drop(kept);
    CHECK(drops == 0 && state->calls == 40000);
    RB_RELEASE(&on);
    CHECK(drops == 1);
}

static void a_struct_without_retain_is_counted_by_rust(void) {
    OnValue on = multiplier(5);
    on.retain = NULL;
    Kept *kept = native_keep(on, NULL);
    OnValue back = native_give_back(kept);
    int64_t out = 0;
    native_drop(kept);
    CHECK(drops == 0);
    CHECK(RB_RETAIN(&back) == RB_OK);
    OnValue copy = back;
    CHECK(copy.call(copy.context, 5, &out, NULL) == RB_OK && out == 25);
    RB_RELEASE(&back);
    RB_RELEASE(&copy);
    CHECK(drops == 1);
}

static void refused(OnValue on, const char *part) {
    rb_error_t error = {0};
    CHECK(!native_keep(on, &error));
    CHECK(error.text && memmem(error.text, error.length, part, strlen(part)));
    rb_error_clear(&error);
}

static void malformed_structs_are_refused(void) {
    OnValue bad = {0};
    refused(bad, "`size` is 0");
    bad = multiplier(1), bad.size = 8;
    refused(bad, "`size` is 8");
    bad.size = sizeof bad;
    RB_RELEASE(&bad);
    bad = multiplier(1), bad.abi = 77;
    refused(bad, "`abi` is 77");
    CHECK(drops == 0); /* the fields of another version mean nothing: not touched */
    bad.abi = RB_ABI;
    RB_RELEASE(&bad);
    bad = multiplier(1), bad.call = NULL;
    refused(bad, "`call` is null");
    CHECK(drops == 1); /* it was a reference all the same */
    bad = multiplier(1), bad.release = NULL;
    refused(bad, "`release` is null");
    rb_counted_release(bad.context);
    memset(&bad, 0xa5, sizeof bad);
    refused(bad, "`size` is");
}

static void c_keeps_calls_and_releases_a_rust_closure(void) {
    size_t before = native_drops();
    OnValue adder = native_adder(40), copy;
    int64_t out = 0;
    CHECK(RB_CHECK(&adder, NULL) == RB_OK);
    CHECK(RB_RETAIN(&adder) == RB_OK);
    copy = adder;
    RB_RELEASE(&adder);
    CHECK(copy.call(copy.context, 2, &out, NULL) == RB_OK && out == 42);
    CHECK(native_drops() == before);
    RB_RELEASE(&copy);
    CHECK(native_drops() == before + 1);
}

static void errors_and_panics_of_rust_are_statuses_with_texts(void) {
    OnValue picky = native_picky();
    rb_error_t error = {0};
    int64_t out = 5;
    CHECK(picky.call(picky.context, -4, &out, &error) == RB_ERROR && out == 5);
    CHECK_TEXT(error, "-4 is too small for Grüße");
    rb_error_clear(&error);
    CHECK(picky.call(picky.context, 10, &out, &error) == RB_PANIC && out == 5);
    CHECK_TEXT(error, "10 is too large");
    rb_error_clear(&error);
    CHECK(picky.call(picky.context, 10, &out, NULL) == RB_PANIC);
    CHECK(picky.call(picky.context, 9, &out, &error) == RB_OK && out == 9);
    RB_RELEASE(&picky);
}

static rb_status_t clear_the_shelf(void *context, int64_t value, int64_t *out, rb_error_t *error) {
    (void)error;
    native_clear_shelf(); /* Rust drops what it keeps of this very callback */
    CHECK(drops == 0);
    *out = value + ((State *)context)->factor;
    return RB_OK;
}

static void a_callback_may_be_released_inside_its_own_call(void) {
    OnValue on = multiplier(1);
    int64_t out = 0;
    on.call = clear_the_shelf;
    native_shelve(on);
    CHECK(native_call_shelved(1, &out, NULL) == RB_OK && out == 2);
    CHECK(drops == 1);
    CHECK(native_call_shelved(1, &out, NULL) == RB_INVALID);
}

static OnEnd released_inside;
static rb_status_t release_outer(void *context, rb_error_t *error) {
    (void)context, (void)error;
    RB_RELEASE(&released_inside);
    return RB_OK;
}

static void a_rust_closure_may_be_released_inside_its_own_call(void) {
    size_t before = native_drops();
    OnEnd inner = RB_CALLBACK_INIT(release_outer, NULL, NULL, NULL);
    released_inside = native_calls_out(inner);
    OnEnd copy = released_inside;
    CHECK(copy.call(copy.context, NULL) == RB_OK);
    CHECK(native_drops() == before + 1);
}

static void a_call_goes_from_c_to_rust_to_c(void) {
    OnValue relay = native_relay(multiplier(6));
    rb_error_t error = {0};
    int64_t out = 0;
    CHECK(relay.call(relay.context, 7, &out, &error) == RB_OK && out == 42);
    CHECK(relay.call(relay.context, -7, &out, &error) == RB_ERROR);
    CHECK_TEXT(error, "negative");
    rb_error_clear(&error);
    RB_RELEASE(&relay);
    CHECK(drops == 1);
}

static rb_status_t invert(void *context, bool open, bool *out, rb_error_t *error) {
    (void)context, (void)error;
    *out = !open;
    return RB_OK;
}

static void bool_is_one_byte_both_ways(void) {
    OnDoor door = RB_CALLBACK_INIT(invert, NULL, NULL, NULL), not_ = native_not();
    CHECK(native_ask_door(door, true) == 0 && native_ask_door(door, false) == 1);
    struct {
        bool out;
        unsigned char after[7];
    } answer = {false, {9, 9, 9, 9, 9, 9, 9}};
    CHECK(not_.call(not_.context, false, &answer.out, NULL) == RB_OK && answer.out == true);
    for (int i = 0; i < 7; i++) CHECK(answer.after[i] == 9);
    RB_RELEASE(&not_);
}

static rb_status_t every(void *context, int8_t i8, uint8_t u8, int16_t i16, uint16_t u16, int32_t i32,
                         uint32_t u32, int64_t i64, uint64_t u64, size_t size, float f32, double f64,
                         bool yes, const char *text, Colour colour, Point point, int32_t (*done)(int32_t),
                         Point *out, rb_error_t *error) {
    (void)context, (void)error;
    CHECK(i8 == INT8_MIN && u8 == UINT8_MAX && i16 == INT16_MIN && u16 == UINT16_MAX);
    CHECK(i32 == INT32_MIN && u32 == UINT32_MAX && i64 == INT64_MIN && u64 == UINT64_MAX);
    CHECK(size == SIZE_MAX && f32 == 1.5f && f64 == -2.5 && yes);
    CHECK(strcmp(text, "text") == 0 && colour == Green && done(14) == 42);
    out->x = point.x * 2, out->y = point.y - 1;
    return RB_OK;
}

static void every_kind_of_argument_arrives(void) {
    OnEvery on = RB_CALLBACK_INIT(every, NULL, NULL, NULL);
    Point answer = native_every(on, "text");
    CHECK(answer.x == 1.0 && answer.y == -9);
}

int main(void) {
    CHECK_BEGIN();
    RUN(rust_keeps_calls_and_releases_a_c_callback);
    RUN(errors_of_c_reach_rust_with_text_and_status);
    RUN(the_last_release_may_come_from_another_thread);
    RUN(many_rust_threads_call_at_once);
    RUN(a_struct_without_retain_is_counted_by_rust);
    RUN(malformed_structs_are_refused);
    RUN(c_keeps_calls_and_releases_a_rust_closure);
    RUN(errors_and_panics_of_rust_are_statuses_with_texts);
    RUN(a_callback_may_be_released_inside_its_own_call);
    RUN(a_rust_closure_may_be_released_inside_its_own_call);
    RUN(a_call_goes_from_c_to_rust_to_c);
    RUN(bool_is_one_byte_both_ways);
    RUN(every_kind_of_argument_arrives);
    return CHECK_END();
}
